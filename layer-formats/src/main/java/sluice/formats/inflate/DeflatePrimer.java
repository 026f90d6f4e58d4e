package sluice.formats.inflate;

import java.nio.ByteBuffer;

/**
 * Bits that bring the JDK's inflater, which starts at a byte, to any bit of a byte.
 *
 * <p>zlib has {@code inflatePrime} for this, the JDK does not show it. Instead the inflater is fed
 * blocks that hold nothing, and then the bits that are wanted, so that all end at a byte. An empty
 * block of fixed Huffman codes (RFC 1951, section 3.2.6) is 10 bits long, the one of dynamic codes
 * below 91; with both, every number of bits modulo 8 can be had.
 */
final class DeflatePrimer {
  /** BFINAL 0, BTYPE 01 (from the lowest bit), end-of-block 0000000. */
  private static final int FIXED_BLOCK = 0b10;

  private static final int FIXED_BLOCK_BITS = 10;

  /** BFINAL 0, BTYPE 10. */
  private static final int DYNAMIC_BLOCK = 0b100;

  /** HCLEN is 4 less: up to code length 1 in the order of RFC 1951, section 3.2.7. */
  private static final int CODE_LENGTHS = 18;

  /** Where code lengths 18 (a run of zeros) and 1 stand in that order. */
  private static final int RUN_INDEX = 2;

  private static final int ONE_INDEX = 17;

  /** Longest run of zeros of code length 18. */
  private static final int MAX_RUN = 138;

  private static final int MIN_RUN = 11;
  private static final int END_OF_BLOCK = 256;

  private final byte[] bytes = new byte[Long.BYTES * 4];
  private int length;

  private DeflatePrimer() {}

  /**
   * Whole bytes whose last {@code bits} bits are the high {@code bits} of {@code firstByte}, after
   * blocks that put out nothing.
   */
  static ByteBuffer bytes(int firstByte, int bits) {
    DeflatePrimer primer = new DeflatePrimer();
    if (bits % 2 == 1) {
      primer.dynamicBlock();
    }
    while ((primer.length + bits) % Byte.SIZE != 0) {
      primer.append(FIXED_BLOCK, FIXED_BLOCK_BITS);
    }
    primer.append(firstByte >>> (Byte.SIZE - bits), bits);
    return ByteBuffer.wrap(primer.bytes, 0, primer.length / Byte.SIZE);
  }

  /** One literal code, end-of-block, and two distance codes, all of them 1 bit long. */
  private void dynamicBlock() {
    append(DYNAMIC_BLOCK, 3);
    append(0, 5); // HLIT: 257 codes
    append(1, 5); // HDIST: 2 codes
    append(CODE_LENGTHS - 4, 4);
    for (int i = 0; i < CODE_LENGTHS; i++) {
      append(i == RUN_INDEX || i == ONE_INDEX ? 1 : 0, 3);
    }
    run(MAX_RUN);
    run(END_OF_BLOCK - MAX_RUN);
    append(0, 3); // Code length 1 is bit 0: for end-of-block and both distances.
    append(0, 1); // end-of-block
  }

  /** Code length 18 is bit 1. */
  private void run(int zeros) {
    append(1, 1);
    append(zeros - MIN_RUN, 7);
  }

  private void append(int value, int bits) {
    for (int i = 0; i < bits; i++) {
      if (((value >>> i) & 1) != 0) {
        bytes[length / Byte.SIZE] |= (byte) (1 << (length % Byte.SIZE));
      }
      length++;
    }
  }
}

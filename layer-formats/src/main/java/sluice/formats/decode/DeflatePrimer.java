package sluice.formats.decode;

import java.nio.ByteBuffer;

/**
 * Bits that bring the JDK's inflater, which starts at a byte, to any bit of a byte.
 *
 * <p>zlib has {@code inflatePrime} for this, the JDK does not show it. Instead the inflater is fed
 * blocks that mean nothing, and then the bits that are wanted, so that all end at a byte. A block
 * of fixed Huffman codes (RFC 1951, section 3.2.6) is 10 bits long when it is empty, and 19 when it
 * holds one literal of 144 or above; with both, every number of bits modulo 8 can be had.
 */
final class DeflatePrimer {
  /** BFINAL 0, BTYPE 01 (from the lowest bit), end-of-block 0000000. */
  private static final int EMPTY_BLOCK = 0b10;

  private static final int EMPTY_BLOCK_BITS = 10;

  /** BFINAL 0, BTYPE 01, the literal 144 as 110010000 (highest bit first), end-of-block. */
  private static final int LITERAL_BLOCK = 0b10 | (0b000010011 << 3);

  private static final int LITERAL_BLOCK_BITS = 19;

  /** One literal at most; the caller throws it away. */
  static final int MAX_OUTPUT_BYTES = 1;

  private DeflatePrimer() {}

  /**
   * Whole bytes whose last {@code bits} bits are the high {@code bits} of {@code firstByte}, after
   * blocks that put out at most {@link #MAX_OUTPUT_BYTES}.
   */
  static ByteBuffer bytes(int firstByte, int bits) {
    long stream = 0;
    int length = 0;
    if (bits % 2 == 1) {
      stream = LITERAL_BLOCK;
      length = LITERAL_BLOCK_BITS;
    }
    while ((length + bits) % Byte.SIZE != 0) {
      stream |= (long) EMPTY_BLOCK << length;
      length += EMPTY_BLOCK_BITS;
    }
    stream |= (long) (firstByte >>> (Byte.SIZE - bits)) << length;
    length += bits;
    ByteBuffer bytes = ByteBuffer.allocate(length / Byte.SIZE);
    while (bytes.hasRemaining()) {
      bytes.put((byte) stream);
      stream >>>= Byte.SIZE;
    }
    return bytes.flip();
  }
}

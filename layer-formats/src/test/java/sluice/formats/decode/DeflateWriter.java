package sluice.formats.decode;

import java.io.ByteArrayOutputStream;

/**
 * Writes deflate blocks of fixed Huffman codes (RFC 1951, section 3.2.6) from any bit of a byte on,
 * with references that reach back over the block's start.
 */
final class DeflateWriter {
  private static final int MATCH_LENGTH = 10;
  private static final int MATCH_DISTANCE = 4097;

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private int pending;
  private int pendingBits;

  /** Ones, which belong to what came before. */
  void padding(int bits) {
    write((1 << bits) - 1, bits);
  }

  /** Encodes {@code text} from {@code from} on; bytes that fit a match at 4097 back become one. */
  byte[] blocksWithReferences(byte[] text, int from) {
    write(0b011, 3);
    for (int i = from; i < text.length; ) {
      if (i >= MATCH_DISTANCE && matches(text, i)) {
        // Length 10 is code 264 without extra bits; distance 4097 is code 24, 11 zero extra bits.
        code(264 - 256, 7);
        code(24, 5);
        write(0, 11);
        i += MATCH_LENGTH;
      } else {
        literal(text[i++] & 0xff);
      }
    }
    code(0, 7);
    write(0, 7);
    return out.toByteArray();
  }

  private static boolean matches(byte[] text, int at) {
    for (int i = 0; i < MATCH_LENGTH; i++) {
      if (at + i >= text.length || text[at + i] != text[at + i - MATCH_DISTANCE]) {
        return false;
      }
    }
    return true;
  }

  private void literal(int value) {
    if (value < 144) {
      code(0b00110000 + value, 8);
    } else {
      code(0b110010000 + value - 144, 9);
    }
  }

  /** Huffman codes go from the highest bit on. */
  private void code(int code, int bits) {
    write(Integer.reverse(code) >>> (Integer.SIZE - bits), bits);
  }

  private void write(int value, int bits) {
    pending |= value << pendingBits;
    pendingBits += bits;
    while (pendingBits >= Byte.SIZE) {
      out.write(pending);
      pending >>>= Byte.SIZE;
      pendingBits -= Byte.SIZE;
    }
  }
}

package sluice.formats.tar;

import java.nio.charset.StandardCharsets;
import sluice.core.Bytes;
import sluice.core.CorruptException;

/** Reads the fields of a block as tar writes text and numbers. */
final class TarField {

  /** The top bit of the first byte: the number is in base 256. */
  private static final int BASE_256 = 0x80;

  /** The sign of a number in base 256. */
  private static final int NEGATIVE = 0x40;

  private final byte[] block;
  private final long blockOffset;
  private final String resource;

  /**
   * Reads nothing yet.
   *
   * @param blockOffset where the block lies in the tar stream
   */
  TarField(byte[] block, long blockOffset, String resource) {
    this.block = block;
    this.blockOffset = blockOffset;
    this.resource = resource;
  }

  byte at(int index) {
    return block[index];
  }

  /** Text up to the first NUL, or the whole field. */
  Bytes text(int at, int length) {
    int end = at;
    while (end < at + length && block[end] != 0) {
      end++;
    }
    return Bytes.of(block, at, end - at);
  }

  /** A number in octal or in base 256; blank is 0. */
  long number(String name, int at, int length) throws CorruptException {
    return (block[at] & BASE_256) != 0 ? base256(name, at, length) : octal(name, at, length);
  }

  /** Whether {@link #number} would find one. */
  boolean isNumber(int at, int length) {
    try {
      number("", at, length);
      return true;
    } catch (CorruptException e) {
      return false;
    }
  }

  /** An octal number; blank is 0. */
  long octal(String name, int at, int length) throws CorruptException {
    int from = at;
    int to = at + length;
    while (from < to && isBlank(block[from])) {
      from++;
    }
    while (to > from && isBlank(block[to - 1])) {
      to--;
    }
    long value = 0;
    for (int i = from; i < to && block[i] != 0; i++) {
      int digit = block[i] - '0';
      if (digit < 0 || digit > 7 || value >>> 60 != 0) {
        throw wrong(name, at, length, "no octal number");
      }
      value = value << 3 | digit;
    }
    return value;
  }

  private long base256(String name, int at, int length) throws CorruptException {
    boolean negative = (block[at] & NEGATIVE) != 0;
    int inversion = negative ? 0xff : 0;
    long value = 0;
    for (int i = at; i < at + length; i++) {
      int digit = (block[i] ^ inversion) & (i == at ? 0x7f : 0xff);
      if (value >>> 55 != 0) {
        throw wrong(name, at, length, "more than 63 bits");
      }
      value = value << 8 | digit;
    }
    return negative ? ~value : value;
  }

  private CorruptException wrong(String name, int at, int length, String problem) {
    return new CorruptException(
        "tar: header: %s \"%s\" is %s"
            .formatted(name, new String(block, at, length, StandardCharsets.ISO_8859_1), problem),
        resource,
        blockOffset + at);
  }

  private static boolean isBlank(byte b) {
    return b == ' ' || b == 0;
  }
}

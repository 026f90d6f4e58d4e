package sluice.formats.soci;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import sluice.core.Bytes;
import sluice.core.CorruptException;

/**
 * A FlatBuffer from outside. The library follows whatever offsets stand in it; here each is checked
 * before it is followed, and what is read in all is bounded. For one thread.
 */
final class FlatBuffer {

  /**
   * What is read in all: twice the largest zTOC. Offsets may share what they lead to, so that a
   * small buffer can claim to be a large one.
   */
  private static final long MAX_READ_BYTES = 1L << 30;

  /** Names, and records of PAX headers, of which Go's reader takes no longer ones. */
  private static final int MAX_TEXT_BYTES = 1 << 20;

  private final ByteBuffer bytes;
  private final String structure;
  private final String resource;
  private long readBytes;

  /**
   * @param bytes all of it; its first byte is at index 0
   * @param structure what it is, for messages
   */
  FlatBuffer(ByteBuffer bytes, String structure, String resource) {
    this.bytes = bytes.slice().order(ByteOrder.LITTLE_ENDIAN);
    this.structure = structure;
    this.resource = resource;
  }

  ByteBuffer bytes() {
    return bytes;
  }

  String resource() {
    return resource;
  }

  FlatTable root() throws CorruptException {
    return table(follow(0));
  }

  /** The table at an index that {@link #follow} gave. */
  FlatTable table(int at) throws CorruptException {
    return new FlatTable(this, at);
  }

  /** Where the offset that stands at an index leads to. */
  int follow(int at) throws CorruptException {
    require(at, Integer.BYTES);
    long to = at + Integer.toUnsignedLong(bytes.getInt(at));
    if (to > bytes.limit() - Integer.BYTES) {
      throw corrupt("offset leads to %d of %d bytes".formatted(to, bytes.limit()), at);
    }
    return (int) to;
  }

  /** The string at an index that {@link #follow} gave. */
  Bytes text(int at) throws CorruptException {
    int length = length(at, 1);
    if (length > MAX_TEXT_BYTES) {
      throw corrupt("a text of %d bytes, at most %d".formatted(length, MAX_TEXT_BYTES), at);
    }
    byte[] text = new byte[length];
    bytes.get(at + Integer.BYTES, text);
    return Bytes.of(text);
  }

  /** How many elements the vector has whose length stands at an index; all lie in the buffer. */
  int length(int at, int elementBytes) throws CorruptException {
    require(at, Integer.BYTES);
    long length = Integer.toUnsignedLong(bytes.getInt(at));
    if (length * elementBytes > bytes.limit() - at - Integer.BYTES) {
      throw corrupt(
          "%d elements of %d bytes, but only %d bytes follow"
              .formatted(length, elementBytes, bytes.limit() - at - Integer.BYTES),
          at);
    }
    charge(length * elementBytes, at);
    return (int) length;
  }

  /** Counts what is read. */
  void charge(long length, int at) throws CorruptException {
    readBytes += length;
    if (readBytes > MAX_READ_BYTES) {
      throw corrupt("leads to more than %d bytes in all".formatted(MAX_READ_BYTES), at);
    }
  }

  /** Checks that so many bytes are there. */
  void require(long at, int length) throws CorruptException {
    if (at < 0 || at > bytes.limit() - length) {
      throw corrupt(
          "%d bytes expected, %d bytes in all".formatted(length, bytes.limit()), Math.max(at, 0));
    }
  }

  CorruptException corrupt(String problem, long offset) {
    return new CorruptException(structure + ": " + problem, resource, offset);
  }
}

package sluice.erofs;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import sluice.core.Bytes;
import sluice.core.CorruptException;

/**
 * The bytes of an image that is not trusted: every access is checked, and one that leads outside is
 * an error that names the structure. All numbers of EROFS are little-endian.
 */
final class ImageBytes {

  static final ValueLayout.OfShort LE_SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfInt LE_INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfLong LE_LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final MemorySegment segment;
  private final String resource;

  ImageBytes(MemorySegment segment, String resource) {
    this.segment = segment;
    this.resource = resource;
  }

  long length() {
    return segment.byteSize();
  }

  /**
   * Checks that a structure lies within the image.
   *
   * @throws CorruptException if it does not
   */
  void require(String structure, long offset, long lengthBytes) throws CorruptException {
    if (offset < 0 || lengthBytes < 0 || offset > length() - lengthBytes) {
      throw corrupt(
          "%s: %d bytes lie outside of the image of %d bytes"
              .formatted(structure, lengthBytes, length()),
          offset);
    }
  }

  int u8(String structure, long offset) throws CorruptException {
    require(structure, offset, 1);
    return Byte.toUnsignedInt(segment.get(ValueLayout.JAVA_BYTE, offset));
  }

  int u16(String structure, long offset) throws CorruptException {
    require(structure, offset, Short.BYTES);
    return Short.toUnsignedInt(segment.get(LE_SHORT, offset));
  }

  long u32(String structure, long offset) throws CorruptException {
    require(structure, offset, Integer.BYTES);
    return Integer.toUnsignedLong(segment.get(LE_INT, offset));
  }

  long i64(String structure, long offset) throws CorruptException {
    require(structure, offset, Long.BYTES);
    return segment.get(LE_LONG, offset);
  }

  Bytes bytes(String structure, long offset, int lengthBytes) throws CorruptException {
    require(structure, offset, lengthBytes);
    byte[] copy = new byte[lengthBytes];
    MemorySegment.copy(segment, ValueLayout.JAVA_BYTE, offset, copy, 0, lengthBytes);
    return Bytes.of(copy);
  }

  /** A view of a structure that was checked, for a record's {@code read}. */
  MemorySegment slice(String structure, long offset, long lengthBytes) throws CorruptException {
    require(structure, offset, lengthBytes);
    return segment.asSlice(offset, lengthBytes);
  }

  ByteBuffer buffer(String structure, long offset, int lengthBytes) throws CorruptException {
    return slice(structure, offset, lengthBytes).asByteBuffer().asReadOnlyBuffer();
  }

  /** The place of the first byte of this value in {@code [from, to)}, or {@code to}. */
  long find(int value, long from, long to) throws CorruptException {
    require("bytes", from, to - from);
    long at = from;
    while (at < to && segment.get(ValueLayout.JAVA_BYTE, at) != (byte) value) {
      at++;
    }
    return at;
  }

  /** Compares {@code name} with the bytes {@code [from, to)} as unsigned bytes. */
  int compare(Bytes name, long from, long to) throws CorruptException {
    require("name", from, to - from);
    int common = (int) Math.min(name.length(), to - from);
    for (int i = 0; i < common; i++) {
      int difference =
          Byte.compareUnsigned(name.at(i), segment.get(ValueLayout.JAVA_BYTE, from + i));
      if (difference != 0) {
        return difference;
      }
    }
    return Long.compare(name.length(), to - from);
  }

  CorruptException corrupt(String message, long offset) {
    return new CorruptException(message, resource, offset);
  }
}

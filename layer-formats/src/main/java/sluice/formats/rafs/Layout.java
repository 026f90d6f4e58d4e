package sluice.formats.rafs;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import sluice.core.CorruptException;

/** How RAFS stores numbers, how files are mapped, and the check that each read begins with. */
final class Layout {
  static final ValueLayout.OfShort LE_SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfInt LE_INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfLong LE_LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Blocks of bootstraps and alignment of chunks in a blob's uncompressed space. */
  static final int BLOCK_BYTES = 4096;

  /** A blob's uncompressed space: 8 TiB, half of what block numbers of 32 bits reach. */
  static final long MAX_BLOB_BYTES = 1L << 43;

  private Layout() {}

  /**
   * @throws CorruptException if {@code [offset, offset + length)} is not all in {@code segment}
   */
  static void require(
      MemorySegment segment, long offset, long length, String structure, String resource)
      throws CorruptException {
    long size = segment.byteSize();
    if (offset < 0 || length < 0 || offset > size || length > size - offset) {
      throw new CorruptException(
          "%s: %s bytes at %s, but there are %d"
              .formatted(
                  structure, Long.toUnsignedString(length), Long.toUnsignedString(offset), size),
          resource,
          offset);
    }
  }

  /** Maps a file for as long as something refers to the result; it may be deleted meanwhile. */
  static MemorySegment map(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), Arena.ofAuto());
    }
  }

  static byte[] bytes(MemorySegment segment, long offset, int length) {
    return segment.asSlice(offset, length).toArray(ValueLayout.JAVA_BYTE);
  }

  static long roundUp(long value, long unit) {
    return Math.ceilDiv(value, unit) * unit;
  }
}

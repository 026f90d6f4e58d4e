package sluice.formats.rafs;

import static sluice.formats.rafs.Layout.LE_LONG;

import java.lang.foreign.MemorySegment;
import sluice.core.CorruptException;

/**
 * An entry of a compression context table, of version 2: {@code BlobChunkInfoV2Ondisk}.
 *
 * <pre>
 *  0  u64 bits 0-31 uncompressed offset / 4096, 32-55 uncompressed size - 1, 56-63 flags
 *  8  u64 bits 0-39 compressed offset, 40-63 compressed size
 * 16  u64 bits 32-63 index of the context, 0-31 offset in what the context decodes to
 * </pre>
 *
 * @param compressedOffset where the batch begins in the blob; says nothing of a zran context
 * @param context unsigned, as is {@code decodedOffset}
 */
record ContextEntry(
    long uncompressedOffset,
    int uncompressedBytes,
    int flags,
    long compressedOffset,
    long context,
    long decodedOffset) {

  static final int BYTES = 24;

  static final int FLAG_ZRAN = 2;
  static final int FLAG_BATCH = 4;

  private static final long LOW_HALF = 0xffff_ffffL;
  private static final long COMPRESSED_OFFSET_MASK = (1L << 40) - 1;

  /** Reads an entry whose bytes are all in {@code table}; its numbers are not checked. */
  static ContextEntry read(MemorySegment table, long at) {
    long uncompressed = table.get(LE_LONG, at);
    long place = table.get(LE_LONG, at + 16);
    return new ContextEntry(
        (uncompressed & LOW_HALF) * Layout.BLOCK_BYTES,
        (int) (uncompressed >>> 32 & 0xff_ffff) + 1,
        (int) (uncompressed >>> 56),
        table.get(LE_LONG, at + 8) & COMPRESSED_OFFSET_MASK,
        place >>> 32,
        place & LOW_HALF);
  }

  /**
   * The entry {@code chunk.index}, which must be of that chunk.
   *
   * @param table begins with the header's entries, whole
   * @param flag what the entry must be flagged as
   * @throws CorruptException if there is no such entry, or it is of another chunk or another kind
   */
  static ContextEntry find(
      MemorySegment table, ContextHeader header, ChunkEntry chunk, int flag, String resource)
      throws CorruptException {
    long index = Integer.toUnsignedLong(chunk.index());
    if (index >= header.entries()) {
      throw new CorruptException(
          "chunk %d of a table of %d entries".formatted(index, header.entries()), resource, -1);
    }
    ContextEntry entry = read(table, index * BYTES);
    if (entry.uncompressedOffset != chunk.uncompressedOffset()
        || entry.uncompressedBytes != chunk.uncompressedBytes()
        || (entry.flags & flag) == 0) {
      throw new CorruptException(
          "context entry %d: %d bytes at %d, flags 0x%x; expected %d bytes at %d with flag 0x%x"
              .formatted(
                  index,
                  entry.uncompressedBytes,
                  entry.uncompressedOffset,
                  entry.flags,
                  chunk.uncompressedBytes(),
                  chunk.uncompressedOffset(),
                  flag),
          resource,
          index * BYTES);
    }
    return entry;
  }
}

package sluice.formats.rafs;

import static sluice.formats.rafs.Layout.LE_INT;
import static sluice.formats.rafs.Layout.LE_LONG;

import java.lang.foreign.MemorySegment;
import sluice.core.CorruptException;

/**
 * A blob's compression context table ({@code blob.meta}) with entries of version 2: what a batch is
 * known by, and nothing else is needed of it.
 *
 * <pre>
 * entry (BlobChunkInfoV2Ondisk)
 *  0  u64 bits 0-31 uncompressed offset / 4096, 32-55 uncompressed size - 1, 56-63 flags
 *  8  u64 bits 0-39 compressed offset, 40-63 compressed size
 * 16  u64 of a batch: bits 32-63 index of the context, 0-31 offset in the decoded batch
 * batch context (BatchInflateContext)
 *  0  u32 compressed size, u32 uncompressed size; 32 bytes reserved
 * </pre>
 *
 * All numbers come from the blob and are covered by no digest; but what a chunk decodes to is.
 */
final class ContextTable {
  static final int ENTRY_BYTES = 24;
  static final int BATCH_CONTEXT_BYTES = 40;

  private static final int FLAG_BATCH = 4;
  private static final long CONTEXT_OFFSET_MASK = 0xffff_ffffL;

  private static final long COMPRESSED_OFFSET_MASK = (1L << 40) - 1;

  /**
   * Where a chunk lies in its batch.
   *
   * @param encodedOffset where the batch begins in the blob; the bootstrap does not say it
   */
  record InBatch(int batch, long encodedOffset, int decodedOffset) {}

  /** A run of chunks that are compressed as one. */
  record Batch(int encodedBytes, int decodedBytes) {}

  private final MemorySegment table;
  private final ContextHeader header;
  private final String resource;

  /**
   * @param table entries and contexts, decoded
   * @throws CorruptException if the header's numbers do not fit the table
   */
  ContextTable(MemorySegment table, ContextHeader header, String resource) throws CorruptException {
    this.table = table;
    this.header = header;
    this.resource = resource;
    int both = BlobEntry.FEATURE_BATCH | BlobEntry.FEATURE_CHUNK_INFO_V2;
    if ((header.features() & both) != both) {
      throw new CorruptException(
          "context header: features 0x%x, expected batches and entries of version 2"
              .formatted(header.features()),
          resource,
          -1);
    }
    Layout.require(table, 0, header.entries() * ENTRY_BYTES, "context entries", resource);
    Layout.require(
        table,
        header.contextsOffset(),
        header.contexts() * BATCH_CONTEXT_BYTES,
        "batch contexts",
        resource);
  }

  /**
   * Where the chunk of the table's entry {@code chunk.index} lies in its batch.
   *
   * @throws CorruptException if the entry is of another chunk, or of none in a batch
   */
  InBatch find(ChunkEntry chunk) throws CorruptException {
    long index = Integer.toUnsignedLong(chunk.index());
    if (index >= header.entries()) {
      throw new CorruptException(
          "chunk %d of a table of %d entries".formatted(index, header.entries()), resource, -1);
    }
    long at = index * ENTRY_BYTES;
    long uncompressed = table.get(LE_LONG, at);
    long offset = (uncompressed & 0xffff_ffffL) * Layout.BLOCK_BYTES;
    int length = (int) (uncompressed >>> 32 & 0xff_ffff) + 1;
    int flags = (int) (uncompressed >>> 56);
    if (offset != chunk.uncompressedOffset()
        || length != chunk.uncompressedBytes()
        || (flags & FLAG_BATCH) == 0) {
      throw new CorruptException(
          "context entry %d: %d bytes at %d, flags 0x%x; expected %d bytes at %d in a batch"
              .formatted(
                  index,
                  length,
                  offset,
                  flags,
                  chunk.uncompressedBytes(),
                  chunk.uncompressedOffset()),
          resource,
          at);
    }
    long place = table.get(LE_LONG, at + 16);
    long batch = place >>> 32;
    long decodedOffset = place & CONTEXT_OFFSET_MASK;
    if (batch >= header.contexts() || decodedOffset + length > batch((int) batch).decodedBytes()) {
      throw new CorruptException(
          "context entry %d: %d bytes at %d of batch %d, which is not as long, of %d batches"
              .formatted(index, length, decodedOffset, batch, header.contexts()),
          resource,
          at);
    }
    long encodedOffset = table.get(LE_LONG, at + 8) & COMPRESSED_OFFSET_MASK;
    return new InBatch((int) batch, encodedOffset, (int) decodedOffset);
  }

  /**
   * A batch that {@link #find} named.
   *
   * @throws CorruptException if it is larger than the largest chunk
   */
  Batch batch(int index) throws CorruptException {
    long at = header.contextsOffset() + (long) index * BATCH_CONTEXT_BYTES;
    long encoded = Integer.toUnsignedLong(table.get(LE_INT, at));
    long decoded = Integer.toUnsignedLong(table.get(LE_INT, at + 4));
    // nydus: a batch is at most as large as a chunk.
    if (decoded > RafsSuperblock.MAX_CHUNK_BYTES || encoded > decoded || encoded == 0) {
      throw new CorruptException(
          "batch context %d: %d bytes that decode to %d, expected at most %d"
              .formatted(index, encoded, decoded, RafsSuperblock.MAX_CHUNK_BYTES),
          resource,
          at);
    }
    return new Batch((int) encoded, (int) decoded);
  }
}

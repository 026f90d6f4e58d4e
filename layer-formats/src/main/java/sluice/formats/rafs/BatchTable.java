package sluice.formats.rafs;

import static sluice.formats.rafs.Layout.LE_INT;

import java.lang.foreign.MemorySegment;
import sluice.core.CorruptException;

/**
 * The context table of a blob that has batches: what a batch is known by, and nothing else is
 * needed of it.
 *
 * <pre>
 * batch context (BatchInflateContext)
 *  0  u32 compressed size, u32 uncompressed size; 32 bytes reserved
 * </pre>
 */
final class BatchTable implements ContextTable {
  static final int CONTEXT_BYTES = 40;

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
  BatchTable(MemorySegment table, ContextHeader header, String resource) throws CorruptException {
    this.table = table;
    this.header = header;
    this.resource = resource;
    ContextTable.require(table, header, BlobEntry.FEATURE_BATCH, CONTEXT_BYTES, resource);
  }

  /**
   * Where the chunk of the table's entry {@code chunk.index} lies in its batch.
   *
   * @throws CorruptException if the entry is of another chunk, or of none in a batch
   */
  InBatch find(ChunkEntry chunk) throws CorruptException {
    ContextEntry entry = ContextEntry.find(table, header, chunk, ContextEntry.FLAG_BATCH, resource);
    long batch = entry.context();
    if (batch >= header.contexts()
        || entry.decodedOffset() + entry.uncompressedBytes() > batch((int) batch).decodedBytes()) {
      throw new CorruptException(
          "context entry %d: %d bytes at %d of batch %d, which is not as long, of %d batches"
              .formatted(
                  chunk.index(),
                  entry.uncompressedBytes(),
                  entry.decodedOffset(),
                  batch,
                  header.contexts()),
          resource,
          (long) chunk.index() * ContextEntry.BYTES);
    }
    return new InBatch((int) batch, entry.compressedOffset(), (int) entry.decodedOffset());
  }

  /**
   * A batch that {@link #find} named.
   *
   * @throws CorruptException if it is larger than the largest chunk
   */
  Batch batch(int index) throws CorruptException {
    long at = header.contextsOffset() + (long) index * CONTEXT_BYTES;
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

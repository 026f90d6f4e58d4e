package sluice.formats.rafs;

import static sluice.formats.rafs.Layout.LE_INT;
import static sluice.formats.rafs.Layout.LE_LONG;

import java.lang.foreign.MemorySegment;
import sluice.core.CorruptException;

/**
 * The header behind a compression context table: {@code BlobCompressionContextHeader}.
 *
 * <pre>
 *    0  u32 magic, u32 features, u32 ci_compressor, u32 ci_entries
 *   16  u64 ci_offset, u64 ci_compressed_size, u64 ci_uncompressed_size
 *   40  u64 zran_offset, u64 zran_size, u32 zran_count: contexts, of batches too
 * 4092  u32 magic
 * </pre>
 *
 * @param contextsOffset where contexts begin in the decoded table
 */
record ContextHeader(
    int features,
    Compressor compressor,
    long entries,
    long offset,
    long encodedBytes,
    long decodedBytes,
    long contextsOffset,
    long contextsBytes,
    long contexts) {

  static final int BYTES = 4096;
  static final int MAGIC = 0xb10bb10b;
  private static final int SECOND_MAGIC_OFFSET = BYTES - Integer.BYTES;

  static ContextHeader read(MemorySegment segment, long at, String resource)
      throws CorruptException {
    Layout.require(segment, at, BYTES, "context header", resource);
    int magic = segment.get(LE_INT, at);
    int second = segment.get(LE_INT, at + SECOND_MAGIC_OFFSET);
    if (magic != MAGIC || second != MAGIC) {
      throw new CorruptException(
          "context header: magic 0x%08x and 0x%08x, expected 0x%08x"
              .formatted(magic, second, MAGIC),
          resource,
          at);
    }
    return new ContextHeader(
        segment.get(LE_INT, at + 4),
        Compressor.of(segment.get(LE_INT, at + 8), "context header", resource, at + 8),
        Integer.toUnsignedLong(segment.get(LE_INT, at + 12)),
        segment.get(LE_LONG, at + 16),
        segment.get(LE_LONG, at + 24),
        segment.get(LE_LONG, at + 32),
        segment.get(LE_LONG, at + 40),
        segment.get(LE_LONG, at + 48),
        Integer.toUnsignedLong(segment.get(LE_INT, at + 56)));
  }

  /** Writes the header over zeros. */
  void write(MemorySegment segment, long at) {
    segment.set(LE_INT, at, MAGIC);
    segment.set(LE_INT, at + 4, features);
    segment.set(LE_INT, at + 8, compressor.number());
    segment.set(LE_INT, at + 12, (int) entries);
    segment.set(LE_LONG, at + 16, offset);
    segment.set(LE_LONG, at + 24, encodedBytes);
    segment.set(LE_LONG, at + 32, decodedBytes);
    segment.set(LE_LONG, at + 40, contextsOffset);
    segment.set(LE_LONG, at + 48, contextsBytes);
    segment.set(LE_INT, at + 56, (int) contexts);
    segment.set(LE_INT, at + SECOND_MAGIC_OFFSET, MAGIC);
  }
}

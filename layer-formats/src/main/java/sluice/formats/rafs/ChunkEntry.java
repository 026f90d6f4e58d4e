package sluice.formats.rafs;

import static sluice.formats.rafs.Layout.LE_INT;
import static sluice.formats.rafs.Layout.LE_LONG;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import sluice.core.Bytes;
import sluice.core.Digest;

/**
 * An entry of the chunk table: {@code RafsV5ChunkInfo}, which v6 uses as well.
 *
 * <pre>
 *  0  u8[32] digest of the uncompressed chunk
 * 32  u32 blob_index, u32 flags
 * 40  u32 compressed_size, u32 uncompressed_size
 * 48  u64 compressed_offset, u64 uncompressed_offset, u64 file_offset
 * 72  u32 index, u32 crc32
 * </pre>
 *
 * @param compressedBytes 0 for a chunk of a batch
 * @param compressedOffset in the blob; 0 for a chunk of a batch
 * @param index place in the blob's compression context table
 */
record ChunkEntry(
    Bytes digest,
    int blobIndex,
    int flags,
    int compressedBytes,
    int uncompressedBytes,
    long compressedOffset,
    long uncompressedOffset,
    long fileOffset,
    int index,
    int crc32) {

  static final int BYTES = 80;
  static final int DIGEST_BYTES = 32;

  static final int FLAG_COMPRESSED = 1;
  static final int FLAG_HAS_CRC32 = 0x10;

  static final int BLOB_INDEX_OFFSET = 32;
  static final int UNCOMPRESSED_OFFSET_OFFSET = 56;

  boolean compressed() {
    return (flags & FLAG_COMPRESSED) != 0;
  }

  boolean inBatch() {
    return compressedBytes == 0;
  }

  /** The digest, which {@code algorithm} made. */
  Digest digest(Digest.Algorithm algorithm) {
    return Digest.of(algorithm, digest.toArray());
  }

  /** Reads an entry whose bytes are all in {@code image}; its numbers are not checked. */
  static ChunkEntry read(MemorySegment image, long offset) {
    return new ChunkEntry(
        Bytes.of(Layout.bytes(image, offset, DIGEST_BYTES)),
        image.get(LE_INT, offset + BLOB_INDEX_OFFSET),
        image.get(LE_INT, offset + 36),
        image.get(LE_INT, offset + 40),
        image.get(LE_INT, offset + 44),
        image.get(LE_LONG, offset + 48),
        image.get(LE_LONG, offset + UNCOMPRESSED_OFFSET_OFFSET),
        image.get(LE_LONG, offset + 64),
        image.get(LE_INT, offset + 72),
        image.get(LE_INT, offset + 76));
  }

  void write(MemorySegment image, long offset) {
    byte[] hash = digest.toArray();
    MemorySegment.copy(hash, 0, image, ValueLayout.JAVA_BYTE, offset, hash.length);
    image.set(LE_INT, offset + BLOB_INDEX_OFFSET, blobIndex);
    image.set(LE_INT, offset + 36, flags);
    image.set(LE_INT, offset + 40, compressedBytes);
    image.set(LE_INT, offset + 44, uncompressedBytes);
    image.set(LE_LONG, offset + 48, compressedOffset);
    image.set(LE_LONG, offset + UNCOMPRESSED_OFFSET_OFFSET, uncompressedOffset);
    image.set(LE_LONG, offset + 64, fileOffset);
    image.set(LE_INT, offset + 72, index);
    image.set(LE_INT, offset + 76, crc32);
  }
}

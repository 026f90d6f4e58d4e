package sluice.formats.rafs;

import static sluice.formats.rafs.Layout.LE_INT;
import static sluice.formats.rafs.Layout.LE_LONG;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import sluice.core.CorruptException;
import sluice.erofs.LayerTree;

/**
 * The tables of a bootstrap, whose tree is read as an EROFS image. The file is mapped, and stays so
 * while something refers to it; it may be deleted.
 *
 * @param prefetch numbers of inodes that are likely to be read first; a directory means all in it
 */
record Bootstrap(
    MemorySegment image,
    RafsSuperblock superblock,
    List<BlobEntry> blobs,
    List<Long> prefetch,
    String resource) {

  /** {@code RAFS_MAX_PREFETCH_FILES}: the table is a hint, and a builder writes a few. */
  private static final int MAX_PREFETCH = 64 * 1024;

  /** Context tables of blobs that have batches, or refer into a gzip layer. */
  @FunctionalInterface
  interface Contexts {
    ContextTable of(BlobEntry blob) throws IOException, InterruptedException;
  }

  /** Lengths of blobs. */
  @FunctionalInterface
  interface BlobLengths {
    long of(BlobEntry blob) throws IOException;
  }

  Bootstrap {
    blobs = List.copyOf(blobs);
    prefetch = List.copyOf(prefetch);
  }

  /**
   * Reads superblock, blob table and prefetch table.
   *
   * @throws CorruptException if they break the format
   * @throws RefusedException if it is of a kind that we do not serve
   */
  static Bootstrap open(Path file, String resource) throws IOException {
    MemorySegment image = Layout.map(file);
    RafsSuperblock superblock = RafsSuperblock.read(image, resource);
    return new Bootstrap(
        image,
        superblock,
        blobs(image, superblock, resource),
        prefetch(image, superblock, resource),
        resource);
  }

  private static List<BlobEntry> blobs(
      MemorySegment image, RafsSuperblock superblock, String resource) throws IOException {
    long bytes = superblock.blobTableBytes();
    Layout.require(image, superblock.blobTableOffset(), bytes, "blob table", resource);
    if (bytes != (long) superblock.devices() * BlobEntry.BYTES) {
      throw new CorruptException(
          "blob table: %d bytes for %d devices, expected %d each"
              .formatted(bytes, superblock.devices(), BlobEntry.BYTES),
          resource,
          superblock.blobTableOffset());
    }
    List<BlobEntry> blobs = new ArrayList<>();
    for (int i = 0; i < superblock.devices(); i++) {
      long at = superblock.blobTableOffset() + (long) i * BlobEntry.BYTES;
      blobs.add(BlobEntry.read(image, at, i, resource));
    }
    return blobs;
  }

  private static List<Long> prefetch(
      MemorySegment image, RafsSuperblock superblock, String resource) throws CorruptException {
    long bytes = superblock.prefetchTableBytes();
    Layout.require(image, superblock.prefetchTableOffset(), bytes, "prefetch table", resource);
    List<Long> nids = new ArrayList<>();
    long count = Math.min(bytes / Integer.BYTES, MAX_PREFETCH);
    for (long i = 0; i < count; i++) {
      long at = superblock.prefetchTableOffset() + i * Integer.BYTES;
      nids.add(Integer.toUnsignedLong(image.get(LE_INT, at)));
    }
    return nids;
  }

  /** The blobs that chunks lie in, in the order of the blob table. */
  List<BlobEntry> referred() throws CorruptException {
    int[] counts = counts(superblock.chunkTableOffset(), entries());
    return blobs.stream().filter(blob -> counts[blob.index()] > 0).toList();
  }

  /** The context tables that the chunks need, by number of the blob. */
  Map<Integer, ContextTable> contexts(Contexts contexts) throws IOException, InterruptedException {
    Map<Integer, ContextTable> tables = new HashMap<>();
    for (BlobEntry blob : referred()) {
      if (blob.has(BlobEntry.FEATURE_BATCH) || blob.has(BlobEntry.FEATURE_ZRAN)) {
        tables.put(blob.index(), contexts.of(blob));
      }
    }
    return tables;
  }

  /**
   * Reads and checks the chunk table.
   *
   * @param contexts those that {@link #contexts(Contexts)} gave
   * @param growth is asked before chunks are gathered
   * @return the chunks of each blob, in the order of the blob table
   */
  List<BlobChunks> chunks(
      BlobLengths lengths, Map<Integer, ContextTable> contexts, LayerTree.Growth growth)
      throws IOException {
    long table = superblock.chunkTableOffset();
    int entries = entries();
    growth.grow((long) BlobChunks.CHUNK_BYTES * entries);
    long[][] keys = keys(table, entries);
    List<BlobChunks> chunks = new ArrayList<>();
    for (BlobEntry blob : blobs) {
      long[] own = keys[blob.index()];
      chunks.add(
          BlobChunks.check(
              image,
              table,
              blob,
              own,
              lengths.of(blob),
              contexts.get(blob.index()),
              growth,
              resource));
    }
    return chunks;
  }

  private int entries() throws CorruptException {
    long table = superblock.chunkTableOffset();
    long bytes = superblock.chunkTableBytes();
    Layout.require(image, table, bytes, "chunk table", resource);
    if (bytes % ChunkEntry.BYTES != 0 || bytes / ChunkEntry.BYTES > Integer.MAX_VALUE) {
      throw new CorruptException("chunk table: " + bytes + " bytes", resource, table);
    }
    return (int) (bytes / ChunkEntry.BYTES);
  }

  private int[] counts(long table, int entries) throws CorruptException {
    int[] counts = new int[blobs.size()];
    for (int i = 0; i < entries; i++) {
      counts[blobIndex(table, i)]++;
    }
    return counts;
  }

  private long[][] keys(long table, int entries) throws CorruptException {
    int[] counts = counts(table, entries);
    long[][] keys = new long[blobs.size()][];
    for (int i = 0; i < keys.length; i++) {
      keys[i] = new long[counts[i]];
    }
    for (int i = 0; i < entries; i++) {
      int blob = blobIndex(table, i);
      long at = table + (long) i * ChunkEntry.BYTES + ChunkEntry.UNCOMPRESSED_OFFSET_OFFSET;
      long offset = image.get(LE_LONG, at);
      if (offset < 0 || offset >= Layout.MAX_BLOB_BYTES || offset % Layout.BLOCK_BYTES != 0) {
        throw new CorruptException(
            "chunk table: uncompressed offset %s, expected a multiple of 4096 below 2^43"
                .formatted(Long.toUnsignedString(offset)),
            resource,
            at);
      }
      keys[blob][--counts[blob]] = BlobChunks.key(offset, i);
    }
    return keys;
  }

  private int blobIndex(long table, int entry) throws CorruptException {
    long at = table + (long) entry * ChunkEntry.BYTES + ChunkEntry.BLOB_INDEX_OFFSET;
    int index = image.get(LE_INT, at);
    if (index < 0 || index >= blobs.size()) {
      throw new CorruptException(
          "chunk table: blob %s of %d".formatted(Integer.toUnsignedString(index), blobs.size()),
          resource,
          at);
    }
    return index;
  }
}

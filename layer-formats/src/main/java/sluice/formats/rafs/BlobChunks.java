package sluice.formats.rafs;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import sluice.core.ByteRange;
import sluice.core.Chunk;
import sluice.core.ChunkEncoding;
import sluice.core.CorruptException;
import sluice.core.Placement;
import sluice.erofs.LayerTree;

/**
 * The chunks of one blob that a bootstrap refers to, by rising place in the blob's uncompressed
 * space. Keeps eight bytes for each chunk and reads the rest from the bootstrap as it is asked for.
 * Safe for use by many threads.
 */
final class BlobChunks implements Iterable<Chunk> {

  /** What a chunk takes of the heap: a key, which is copied. */
  static final int CHUNK_BYTES = 16;

  private final MemorySegment image;
  private final long tableOffset;
  private final BlobEntry blob;
  private final String resource;

  /**
   * Place in the uncompressed space in blocks, above the number of the entry in the chunk table.
   */
  private final long[] order;

  private final @Nullable Batches batches;
  private final @Nullable ZranTable zran;

  private BlobChunks(
      MemorySegment image,
      long tableOffset,
      BlobEntry blob,
      String resource,
      long[] order,
      @Nullable Batches batches,
      @Nullable ZranTable zran) {
    this.image = image;
    this.tableOffset = tableOffset;
    this.blob = blob;
    this.resource = resource;
    this.order = order;
    this.batches = batches;
    this.zran = zran;
  }

  /** What {@link #order} holds for an entry. */
  static long key(long uncompressedOffset, int entry) {
    return ((uncompressedOffset / Layout.BLOCK_BYTES) << Integer.SIZE) | entry;
  }

  /**
   * Checks every chunk of a blob.
   *
   * @param keys a {@link #key} for each of them; changed by this
   * @param blobBytes length of the blob
   * @param contexts the blob's context table, if it has batches or refers into a gzip layer
   * @param growth is asked before batches are gathered
   * @throws CorruptException if a chunk lies outside of the blob or its uncompressed space,
   *     overlaps another one, or has no digest
   */
  static BlobChunks check(
      MemorySegment image,
      long tableOffset,
      BlobEntry blob,
      long[] keys,
      long blobBytes,
      @Nullable ContextTable contexts,
      LayerTree.Growth growth,
      String resource)
      throws IOException {
    Arrays.sort(keys);
    BlobChunks all = new BlobChunks(image, tableOffset, blob, resource, keys, null, null);
    int kept = 0;
    ChunkEntry before = null;
    for (int i = 0; i < keys.length; i++) {
      ChunkEntry entry = all.entry(i);
      if (entry.equals(before)) {
        continue;
      }
      all.checkPlace(i, entry, before);
      if (contexts instanceof ZranTable zran) {
        zran.check(entry);
      } else {
        all.checkEncoded(i, entry, blobBytes, contexts != null);
      }
      keys[kept++] = keys[i];
      before = entry;
    }
    long[] unique = Arrays.copyOf(keys, kept);
    BlobChunks plain = new BlobChunks(image, tableOffset, blob, resource, unique, null, null);
    return switch (contexts) {
      case null -> plain;
      case BatchTable table ->
          new BlobChunks(
              image,
              tableOffset,
              blob,
              resource,
              unique,
              Batches.gather(plain, table, blobBytes, growth),
              null);
      case ZranTable table ->
          new BlobChunks(image, tableOffset, blob, resource, unique, null, table);
    };
  }

  private void checkPlace(int number, ChunkEntry entry, @Nullable ChunkEntry before)
      throws CorruptException {
    long length = entry.uncompressedBytes();
    long from = entry.uncompressedOffset();
    if (length <= 0
        || length > RafsSuperblock.MAX_CHUNK_BYTES
        || from > blob.deviceBytes() - length) {
      throw corrupt(
          number, "lies outside of the %d bytes of its blob".formatted(blob.deviceBytes()));
    }
    if (before != null && from < before.uncompressedOffset() + before.uncompressedBytes()) {
      throw corrupt(number, "overlaps " + before);
    }
    if (isZero(entry)) {
      throw corrupt(number, "has no digest, so nothing could verify it");
    }
  }

  private void checkEncoded(int number, ChunkEntry entry, long blobBytes, boolean batches)
      throws CorruptException {
    int encoded = entry.compressedBytes();
    boolean fits =
        encoded >= 0
            && encoded <= RafsSuperblock.MAX_CHUNK_BYTES
            && entry.compressedOffset() >= 0
            && entry.compressedOffset() <= blobBytes - encoded;
    boolean sized =
        entry.inBatch() ? batches : entry.compressed() || encoded == entry.uncompressedBytes();
    if (!fits || !sized) {
      throw corrupt(number, "cannot lie so in a blob of %d bytes".formatted(blobBytes));
    }
  }

  private static boolean isZero(ChunkEntry entry) {
    for (int i = 0; i < ChunkEntry.DIGEST_BYTES; i++) {
      if (entry.digest().at(i) != 0) {
        return false;
      }
    }
    return true;
  }

  /** What is wrong with the chunk {@code number}. */
  CorruptException corrupt(int number, String message) {
    return new CorruptException(
        "chunk table: " + entry(number) + ' ' + message, resource, offset(number));
  }

  /** The length of the chunk that begins there in the uncompressed space. */
  Optional<Integer> lengthAt(long uncompressedOffset) {
    int at = Arrays.binarySearch(order, key(uncompressedOffset, 0));
    int found = at >= 0 ? at : -at - 1;
    if (found >= order.length) {
      return Optional.empty();
    }
    ChunkEntry entry = entry(found);
    return entry.uncompressedOffset() == uncompressedOffset
        ? Optional.of(entry.uncompressedBytes())
        : Optional.empty();
  }

  /** How many chunks there are. */
  int count() {
    return order.length;
  }

  /** The chunk {@code number}, in the order of the uncompressed space. */
  ChunkEntry entry(int number) {
    return ChunkEntry.read(image, offset(number));
  }

  private long offset(int number) {
    return tableOffset + (long) (int) order[number] * ChunkEntry.BYTES;
  }

  /** Where a chunk lies in the device. */
  Placement placement(ChunkEntry entry, long decodedOffset) {
    return new Placement(
        decodedOffset,
        entry.uncompressedBytes(),
        entry.uncompressedOffset(),
        entry.digest(blob.digester()));
  }

  /** The dictionaries that the encodings of the chunks point into. */
  MemorySegment windows() {
    return zran == null ? MemorySegment.NULL : zran.windows();
  }

  @Override
  public Iterator<Chunk> iterator() {
    return zran == null ? new ChunkIterator() : new ZranRuns(this, zran);
  }

  private Chunk chunk(int number) {
    Chunk batch = batches == null ? null : batches.batch(number, blob.compressor());
    if (batch != null) {
      return batch;
    }
    ChunkEntry entry = entry(number);
    return new Chunk(
        new ByteRange(entry.compressedOffset(), entry.compressedBytes()),
        entry.compressed() ? blob.compressor().encoding() : new ChunkEncoding.Plain(),
        entry.uncompressedBytes(),
        null,
        List.of(placement(entry, 0)));
  }

  /** One chunk for each entry, but a batch only where its first entry is. */
  private final class ChunkIterator implements Iterator<Chunk> {
    private int next;

    @Override
    public boolean hasNext() {
      while (batches != null && next < order.length && batches.follows(next)) {
        next++;
      }
      return next < order.length;
    }

    @Override
    public Chunk next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      return chunk(next++);
    }
  }
}

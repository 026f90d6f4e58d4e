package sluice.formats.rafs;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import sluice.core.ByteRange;
import sluice.core.Chunk;
import sluice.core.ChunkEncoding;
import sluice.core.CorruptException;
import sluice.core.Placement;

/**
 * The chunks of one blob that a bootstrap refers to, by rising place in the blob's uncompressed
 * space. Keeps eight bytes for each chunk and reads the rest from the bootstrap as it is asked for.
 * Safe for use by many threads.
 */
final class BlobChunks implements Iterable<Chunk> {

  /**
   * The chunks of one batch that are referred to, and the batch itself.
   *
   * @param first number of the first of them
   */
  private record BatchOf(
      int first, ByteRange encoded, ContextTable.Batch batch, List<Placement> placements) {}

  private final MemorySegment image;
  private final long tableOffset;
  private final BlobEntry blob;

  /**
   * Place in the uncompressed space in blocks, above the number of the entry in the chunk table.
   */
  private final long[] order;

  /** By number of the entry; entries of one batch share one. */
  private final Map<Integer, BatchOf> batches = new HashMap<>();

  private BlobChunks(MemorySegment image, long tableOffset, BlobEntry blob, long[] order) {
    this.image = image;
    this.tableOffset = tableOffset;
    this.blob = blob;
    this.order = order;
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
   * @param contexts the blob's context table, if it has batches
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
      String resource)
      throws CorruptException {
    Arrays.sort(keys);
    int kept = 0;
    ChunkEntry before = null;
    BlobChunks chunks = new BlobChunks(image, tableOffset, blob, keys);
    for (long key : keys) {
      ChunkEntry entry = chunks.entry((int) key);
      if (entry.equals(before)) {
        continue;
      }
      chunks.check(entry, before, blobBytes, contexts != null, chunks.offset((int) key), resource);
      keys[kept++] = key;
      before = entry;
    }
    BlobChunks unique = new BlobChunks(image, tableOffset, blob, Arrays.copyOf(chunks.order, kept));
    if (contexts != null) {
      unique.gather(contexts, blobBytes, resource);
    }
    return unique;
  }

  private void check(
      ChunkEntry entry,
      @Nullable ChunkEntry before,
      long blobBytes,
      boolean batches,
      long offset,
      String resource)
      throws CorruptException {
    long length = entry.uncompressedBytes();
    long from = entry.uncompressedOffset();
    if (length <= 0
        || length > RafsSuperblock.MAX_CHUNK_BYTES
        || from > blob.deviceBytes() - length) {
      throw corrupt(
          "lies outside of the %d bytes of its blob".formatted(blob.deviceBytes()),
          entry,
          offset,
          resource);
    }
    if (before != null && from < before.uncompressedOffset() + before.uncompressedBytes()) {
      throw corrupt("overlaps " + before, entry, offset, resource);
    }
    int encoded = entry.compressedBytes();
    boolean fits =
        encoded >= 0
            && encoded <= RafsSuperblock.MAX_CHUNK_BYTES
            && entry.compressedOffset() >= 0
            && entry.compressedOffset() <= blobBytes - encoded;
    boolean sized =
        entry.inBatch() ? batches : entry.compressed() || encoded == entry.uncompressedBytes();
    if (!fits || !sized) {
      throw corrupt(
          "cannot lie so in a blob of %d bytes".formatted(blobBytes), entry, offset, resource);
    }
    if (isZero(entry)) {
      throw corrupt("has no digest, so nothing could verify it", entry, offset, resource);
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

  private void gather(ContextTable contexts, long blobBytes, String resource)
      throws CorruptException {
    Map<Integer, BatchOf> byContext = new HashMap<>();
    for (long key : order) {
      ChunkEntry entry = entry((int) key);
      if (!entry.inBatch()) {
        continue;
      }
      ContextTable.InBatch place = contexts.find(entry);
      BatchOf of = byContext.get(place.batch());
      if (of == null) {
        ContextTable.Batch batch = contexts.batch(place.batch());
        of =
            new BatchOf(
                (int) key,
                new ByteRange(place.encodedOffset(), batch.encodedBytes()),
                batch,
                new ArrayList<>());
        byContext.put(place.batch(), of);
      }
      if (of.encoded().offset() != place.encodedOffset() || of.encoded().end() > blobBytes) {
        throw corrupt(
            "is not in batch %d, %s of a blob of %d bytes"
                .formatted(place.batch(), of.encoded(), blobBytes),
            entry,
            offset((int) key),
            resource);
      }
      of.placements()
          .add(
              new Placement(
                  place.decodedOffset(),
                  entry.uncompressedBytes(),
                  entry.uncompressedOffset(),
                  entry.digest(blob.digester())));
      batches.put((int) key, of);
    }
  }

  private static CorruptException corrupt(
      String message, ChunkEntry entry, long offset, String resource) {
    return new CorruptException("chunk table: " + entry + ' ' + message, resource, offset);
  }

  /** The length of the chunk that begins there in the uncompressed space. */
  Optional<Integer> lengthAt(long uncompressedOffset) {
    int at = Arrays.binarySearch(order, key(uncompressedOffset, 0));
    int found = at >= 0 ? at : -at - 1;
    if (found >= order.length) {
      return Optional.empty();
    }
    ChunkEntry entry = entry((int) order[found]);
    return entry.uncompressedOffset() == uncompressedOffset
        ? Optional.of(entry.uncompressedBytes())
        : Optional.empty();
  }

  @Override
  public Iterator<Chunk> iterator() {
    return new ChunkIterator();
  }

  private long offset(int entry) {
    return tableOffset + (long) entry * ChunkEntry.BYTES;
  }

  private ChunkEntry entry(int entry) {
    return ChunkEntry.read(image, offset(entry));
  }

  private Chunk chunk(int number) {
    BatchOf of = batches.get(number);
    if (of != null) {
      boolean compressed = of.batch().encodedBytes() != of.batch().decodedBytes();
      return new Chunk(
          of.encoded(), encoding(compressed), of.batch().decodedBytes(), null, of.placements());
    }
    ChunkEntry entry = entry(number);
    return new Chunk(
        new ByteRange(entry.compressedOffset(), entry.compressedBytes()),
        encoding(entry.compressed()),
        entry.uncompressedBytes(),
        null,
        List.of(
            new Placement(
                0,
                entry.uncompressedBytes(),
                entry.uncompressedOffset(),
                entry.digest(blob.digester()))));
  }

  private ChunkEncoding encoding(boolean compressed) {
    return compressed ? blob.compressor().encoding() : new ChunkEncoding.Plain();
  }

  /** One chunk for each entry, but a batch only where its first entry is. */
  private final class ChunkIterator implements Iterator<Chunk> {
    private int next;

    @Override
    public boolean hasNext() {
      while (next < order.length) {
        BatchOf of = batches.get((int) order[next]);
        if (of == null || of.first() == (int) order[next]) {
          return true;
        }
        next++;
      }
      return false;
    }

    @Override
    public Chunk next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      return chunk((int) order[next++]);
    }
  }
}

package sluice.formats.rafs;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import sluice.core.ByteRange;
import sluice.core.Chunk;
import sluice.core.ChunkEncoding;
import sluice.core.CorruptException;
import sluice.core.Placement;
import sluice.erofs.LayerTree;

/** The batches of one blob that a bootstrap refers to. Safe for use by many threads. */
final class Batches {

  /** What a chunk in a batch takes of the heap: its placement with a digest, and its number. */
  private static final int MEMBER_BYTES = 200;

  /** What a batch takes of it: two ranges, a list, its number. */
  private static final int BATCH_BYTES = 240;

  /**
   * The chunks of one batch that are referred to, and the batch itself.
   *
   * @param first number of the first of them in {@link BlobChunks}
   */
  private record Members(
      int first, ByteRange encoded, BatchTable.Batch batch, List<Placement> placements) {}

  /** By number of the chunk; chunks of one batch share one. */
  private final Map<Integer, Members> batches;

  private Batches(Map<Integer, Members> batches) {
    this.batches = batches;
  }

  /**
   * Gathers the batches of {@code chunks}.
   *
   * @param blobBytes length of the blob
   * @param growth is asked before more is gathered
   * @throws CorruptException if a batch lies outside of the blob, or a chunk outside of its batch
   */
  static Batches gather(
      BlobChunks chunks, BatchTable table, long blobBytes, LayerTree.Growth growth)
      throws IOException {
    Map<Integer, Members> batches = new HashMap<>();
    Map<Integer, Members> byContext = new HashMap<>();
    for (int number = 0; number < chunks.count(); number++) {
      ChunkEntry entry = chunks.entry(number);
      if (!entry.inBatch()) {
        continue;
      }
      BatchTable.InBatch place = table.find(entry);
      Members members = byContext.get(place.batch());
      growth.grow(MEMBER_BYTES + (members == null ? BATCH_BYTES : 0));
      if (members == null) {
        BatchTable.Batch batch = table.batch(place.batch());
        ByteRange encoded = new ByteRange(place.encodedOffset(), batch.encodedBytes());
        members = new Members(number, encoded, batch, new ArrayList<>());
        byContext.put(place.batch(), members);
      }
      if (members.encoded().offset() != place.encodedOffset()
          || members.encoded().end() > blobBytes) {
        throw chunks.corrupt(
            number,
            "is not in batch %d, %s of a blob of %d bytes"
                .formatted(place.batch(), members.encoded(), blobBytes));
      }
      members.placements().add(chunks.placement(entry, place.decodedOffset()));
      batches.put(number, members);
    }
    return new Batches(batches);
  }

  /** Whether the chunk {@code number} is in a batch that an earlier one is in, too. */
  boolean follows(int number) {
    Members members = batches.get(number);
    return members != null && members.first() != number;
  }

  /**
   * The batch of the chunk {@code number}; null if it is in none.
   *
   * @param compressor what batches are compressed with, if that makes them shorter
   */
  @Nullable Chunk batch(int number, Compressor compressor) {
    Members members = batches.get(number);
    if (members == null) {
      return null;
    }
    BatchTable.Batch batch = members.batch();
    boolean compressed = batch.encodedBytes() != batch.decodedBytes();
    return new Chunk(
        members.encoded(),
        compressed ? compressor.encoding() : new ChunkEncoding.Plain(),
        batch.decodedBytes(),
        null,
        members.placements());
  }
}

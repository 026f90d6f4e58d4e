package sluice.formats.rafs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntUnaryOperator;
import org.junit.jupiter.api.Test;
import sluice.core.ByteRange;
import sluice.core.Bytes;
import sluice.core.Chunk;
import sluice.core.Digest;
import sluice.core.Placement;

/** Chunks of one byte each, spread over contexts that no converter would write so. */
class ZranRunsTest {

  private static final int DECODED_BYTES = ZranTable.MAX_CONTEXT_BYTES;
  private static final Digest LAYER = Digest.sha256(new byte[1]);

  @Test
  void next_beginsAChunkWhereTheContextChanges() throws IOException {
    List<Chunk> chunks = chunks(6, 2, number -> number / 2 % 2);
    assertThat(chunks)
        .extracting(Chunk::encoded)
        .containsExactly(new ByteRange(0, 10), new ByteRange(10, 10), new ByteRange(0, 10));
    assertThat(chunks)
        .extracting(chunk -> chunk.placements().stream().map(Placement::deviceOffset).toList())
        .containsExactly(List.of(0L, 4096L), List.of(8192L, 12288L), List.of(16384L, 20480L));
  }

  @Test
  void next_endsAChunkThatHasAsManyPlacementsAsAContextOfFilesHas() throws IOException {
    List<Chunk> chunks = chunks(ZranRuns.MAX_RUN + 5, 1, number -> 0);
    assertThat(chunks)
        .extracting(chunk -> chunk.placements().size())
        .containsExactly(ZranRuns.MAX_RUN, 5);
  }

  private static List<Chunk> chunks(int count, int contexts, IntUnaryOperator contextOf)
      throws IOException {
    byte[] image = new byte[count * ChunkEntry.BYTES];
    int tableBytes = count * ContextEntry.BYTES + contexts * ZranContext.BYTES;
    MemorySegment table = MemorySegment.ofArray(new byte[tableBytes]);
    long[] keys = new long[count];
    for (int i = 0; i < count; i++) {
      long offset = (long) i * Layout.BLOCK_BYTES;
      new ChunkEntry(
              Bytes.of(LAYER.bytes()), 0, ChunkEntry.FLAG_COMPRESSED, 0, 1, 0, offset, 0, i, 0)
          .write(MemorySegment.ofArray(image), (long) i * ChunkEntry.BYTES);
      keys[i] = BlobChunks.key(offset, i);
      long at = (long) i * ContextEntry.BYTES;
      table.set(Layout.LE_LONG, at, i | (long) ContextEntry.FLAG_ZRAN << 56);
      table.set(Layout.LE_LONG, at + 16, (long) contextOf.applyAsInt(i) << 32 | i);
    }
    long contextsOffset = (long) count * ContextEntry.BYTES;
    for (int i = 0; i < contexts; i++) {
      long at = contextsOffset + (long) i * ZranContext.BYTES;
      table.set(Layout.LE_LONG, at, 10L * i);
      table.set(Layout.LE_INT, at + 24, 10);
      table.set(Layout.LE_INT, at + 28, DECODED_BYTES);
    }
    ContextHeader header =
        new ContextHeader(
            BlobEntry.FEATURE_ZRAN | BlobEntry.FEATURE_CHUNK_INFO_V2,
            Compressor.NONE,
            count,
            0,
            tableBytes,
            tableBytes,
            contextsOffset,
            (long) contexts * ZranContext.BYTES,
            contexts);
    BlobEntry blob =
        new BlobEntry(
            LAYER,
            0,
            1 << 20,
            count,
            Compressor.GZIP,
            Digest.Algorithm.SHA256,
            BlobEntry.FEATURE_ZRAN,
            1000,
            (long) count * Layout.BLOCK_BYTES,
            new BlobEntry.Contexts(Compressor.NONE, 0, 0, 0, null));
    List<Chunk> chunks = new ArrayList<>();
    BlobChunks.check(
            MemorySegment.ofArray(image),
            0,
            blob,
            keys,
            1000,
            new ZranTable(table, header, 1000, "table"),
            bytes -> {},
            "bootstrap")
        .forEach(chunks::add);
    return chunks;
  }
}

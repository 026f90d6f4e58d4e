package sluice.formats.soci;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import sluice.core.ByteRange;
import sluice.core.Chunk;
import sluice.core.Digest;
import sluice.core.Placement;

/** Files laid over spans. */
class SpanChunksTest {

  private static final Digest DIGEST = Digest.sha256(new byte[0]);

  private static List<Chunk> chunks(long tarBytes, FileRuns files) {
    Spans spans = new PlainSpans(1000, tarBytes, tarBytes);
    List<Chunk> chunks = new ArrayList<>();
    List<Digest> digests = Collections.nCopies(spans.count(), DIGEST);
    new SpanChunks(spans, digests, files, SpanStatements.NONE).forEach(chunks::add);
    return chunks;
  }

  @Test
  void iterator_fileOverSpans_isPlacedInEach() {
    FileRuns files = new FileRuns();
    assertThat(files.add(500, 10)).isZero();
    assertThat(files.add(900, 2200)).isEqualTo(4096);
    assertThat(files.add(4999, 1)).isEqualTo(8192);
    List<Chunk> chunks = chunks(7000, files);
    assertThat(chunks)
        .extracting(chunk -> chunk.encoded().offset())
        .containsExactly(0L, 1000L, 2000L, 3000L, 4000L);
    assertThat(chunks.getFirst().placements())
        .containsExactly(new Placement(500, 10, 0, null), new Placement(900, 100, 4096, null));
    assertThat(chunks.get(1).placements()).containsExactly(new Placement(0, 1000, 4196, null));
    assertThat(chunks.get(3).placements()).containsExactly(new Placement(0, 100, 6196, null));
    assertThat(chunks.get(4).placements()).containsExactly(new Placement(999, 1, 8192, null));
    assertThat(files.deviceBytes()).isEqualTo(12_288);
  }

  @Test
  void iterator_anyFiles_placesEachByteOnce() {
    Random random = new Random(3);
    for (int round = 0; round < 200; round++) {
      FileRuns files = new FileRuns();
      long at = 0;
      for (int i = 0; i < 20; i++) {
        at += random.nextInt(1500);
        int length = 1 + random.nextInt(3000);
        files.add(at, length);
        at += length;
      }
      long placed = 0;
      for (Chunk chunk : chunks(at + 1, files)) {
        for (Placement placement : chunk.placements()) {
          long tar = chunk.encoded().offset() + placement.decodedOffset();
          int file = files.endingBehind(tar);
          assertThat(tar - files.tarOffset(file))
              .isEqualTo(placement.deviceOffset() - files.deviceOffset(file))
              .isNotNegative();
          placed += placement.lengthBytes();
        }
      }
      long expected = 0;
      for (int file = 0; file < files.count(); file++) {
        expected += files.tarEnd(file) - files.tarOffset(file);
      }
      assertThat(placed).isEqualTo(expected);
    }
  }

  @Test
  void inDevice_partsOfTheTar_areRangesOfTheDevice() {
    FileRuns files = new FileRuns();
    files.add(1000, 5000);
    files.add(7000, 10);
    assertThat(files.inDevice(new ByteRange(0, 1000))).isEmpty();
    assertThat(files.inDevice(new ByteRange(0, 1001))).contains(new ByteRange(0, 1));
    assertThat(files.inDevice(new ByteRange(2000, 1000))).contains(new ByteRange(1000, 1000));
    assertThat(files.inDevice(new ByteRange(5999, 1002))).contains(new ByteRange(4999, 3194));
    assertThat(files.inDevice(new ByteRange(6000, 1000))).isEmpty();
    assertThat(files.inDevice(new ByteRange(7009, 9000))).contains(new ByteRange(8201, 1));
    assertThat(files.inDevice(new ByteRange(7010, 9000))).isEmpty();
    assertThat(files.inDevice(new ByteRange(1500, 0))).isEmpty();
    assertThat(new FileRuns().inDevice(new ByteRange(0, 10))).isEmpty();
  }
}

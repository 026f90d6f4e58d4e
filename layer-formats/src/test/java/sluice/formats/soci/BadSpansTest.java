package sluice.formats.soci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import sluice.core.ByteRange;
import sluice.core.CorruptException;

/** Span tables that lie. */
class BadSpansTest {

  private static final long BLOB = 10_000;
  private static final long TAR = 100_000;

  /** Checkpoints of {in, out, bits}, whose windows are zeros. */
  private static MemorySegment zinfo(int have, long[]... checkpoints) {
    ByteBuffer zinfo =
        ByteBuffer.allocate(
                GzipSpans.HEADER_BYTES + checkpoints.length * GzipSpans.CHECKPOINT_BYTES)
            .order(ByteOrder.LITTLE_ENDIAN);
    zinfo.putInt(have).putLong(1 << 20);
    for (int i = 0; i < checkpoints.length; i++) {
      zinfo.position(GzipSpans.HEADER_BYTES + i * GzipSpans.CHECKPOINT_BYTES);
      zinfo.putLong(checkpoints[i][0]).putLong(checkpoints[i][1]).put((byte) checkpoints[i][2]);
    }
    return MemorySegment.ofArray(zinfo.array());
  }

  private static long[] at(long in, long out, long bits) {
    return new long[] {in, out, bits};
  }

  static List<MemorySegment> lies() {
    return List.of(
        zinfo(0),
        zinfo(-1, at(10, 0, 0)),
        zinfo(Integer.MAX_VALUE, at(10, 0, 0)),
        zinfo(3, at(10, 0, 0)),
        zinfo(1, at(10, 0, 0), at(20, 1, 0)),
        zinfo(1, at(10, 1, 0)),
        zinfo(1, at(-1, 0, 0)),
        zinfo(1, at(0, 0, 1)),
        zinfo(1, at(10, 0, 8)),
        zinfo(1, at(BLOB + 1, 0, 0)),
        zinfo(1, at(Long.MAX_VALUE, 0, 0)),
        zinfo(1, at(Long.MIN_VALUE, 0, 1)),
        zinfo(2, at(10, 0, 0), at(10, 5, 0)),
        zinfo(2, at(10, 0, 0), at(9, 5, 0)),
        zinfo(2, at(10, 0, 0), at(10, 0, 0)),
        zinfo(2, at(10, 0, 0), at(20, -5, 0)),
        zinfo(3, at(10, 0, 0), at(20, 50, 0), at(30, 49, 0)),
        MemorySegment.ofArray(new byte[0]),
        MemorySegment.ofArray(new byte[11]),
        zinfo(1, at(10, 0, 0)).asSlice(0, 12 + GzipSpans.CHECKPOINT_BYTES - 1));
  }

  @ParameterizedTest
  @MethodSource("lies")
  void read_lies_areCorrupt(MemorySegment zinfo) {
    assertThatThrownBy(() -> GzipSpans.read(zinfo, BLOB, TAR, "layer x"))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("checkpoints: ")
        .hasMessageContaining("resource=layer x, offset=");
  }

  @Test
  void read_spanLongerThanAChunkMayBe_isCorrupt() throws Exception {
    MemorySegment zinfo = zinfo(2, at(10, 0, 0), at(20, 100, 0));
    long most = Spans.MAX_SPAN_BYTES;
    assertThat(GzipSpans.read(zinfo, 20 + most, 100 + most, "x").count()).isEqualTo(2);
    assertThatThrownBy(() -> GzipSpans.read(zinfo, BLOB, 101 + most, "x"))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("1 of 2: a span of 9980 bytes that decodes to 134217729, at most");
    assertThatThrownBy(() -> GzipSpans.read(zinfo, 21 + most, TAR, "x"))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("a span of 134217729 bytes");
  }

  @Test
  void read_checkpointsInThePaddingBehindTheTar_decodeToNothing() throws Exception {
    MemorySegment zinfo = zinfo(3, at(10, 0, 0), at(20, 90, 0), at(30, 200, 0));
    GzipSpans spans = GzipSpans.read(zinfo, BLOB, 100, "x");
    assertThat(spans.decoded(1)).isEqualTo(new ByteRange(90, 10));
    assertThat(spans.decoded(2)).isEqualTo(new ByteRange(100, 0));
  }

  @Test
  void read_emptyBlocksAtTheBeginning_areEmptySpans() throws Exception {
    MemorySegment zinfo = zinfo(3, at(10, 0, 0), at(15, 0, 0), at(20, 50, 0));
    GzipSpans spans = GzipSpans.read(zinfo, BLOB, TAR, "x");
    assertThat(spans.decoded(0)).isEqualTo(new ByteRange(0, 0));
    assertThat(spans.decoded(1)).isEqualTo(new ByteRange(0, 50));
  }

  @Test
  void readPlain_lies_areCorrupt() {
    for (long[] lie :
        new long[][] {
          {0, 100, 100},
          {-4096, 100, 100},
          {Spans.MAX_SPAN_BYTES + 1, 100, 100},
          {4096, 101, 100},
          {4096, -1, -1},
          {1, 100_000, 100_000},
          {1, Long.MAX_VALUE, Long.MAX_VALUE},
        }) {
      assertThatThrownBy(
              () -> PlainSpans.read(GzipCheckpoints.plain(lie[0], lie[1]), lie[2], 10, "layer x"))
          .as("%d %d", lie[0], lie[1])
          .isInstanceOf(CorruptException.class)
          .hasMessageContaining("TarZinfo: spans of " + lie[0]);
    }
    for (int length : new int[] {0, 3, 19, 21, 39}) {
      assertThatThrownBy(
              () -> PlainSpans.read(MemorySegment.ofArray(new byte[length]), 0, 0, "layer x"))
          .isInstanceOf(CorruptException.class);
    }
  }
}

package sluice.formats.soci;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import sluice.core.ByteRange;
import sluice.core.CorruptException;

/** Tables of frames, good and bad. */
class FrameSpansTest {

  private static final long BLOB = 1000;
  private static final long TAR = 5000;

  @Test
  void read_table_givesItsSpansUpToTheEndOfTheTar() throws CorruptException {
    MemorySegment table = FrameSpans.write(new long[] {0, 400, 900}, new long[] {0, 3000, 5500}, 3);
    FrameSpans spans = FrameSpans.read(table, BLOB, TAR, "test");
    assertThat(spans.count()).isEqualTo(2);
    assertThat(spans.encoded(0)).isEqualTo(new ByteRange(0, 400));
    assertThat(spans.encoded(1)).isEqualTo(new ByteRange(400, 500));
    assertThat(spans.decoded(0)).isEqualTo(new ByteRange(0, 3000));
    assertThat(spans.decoded(1)).isEqualTo(new ByteRange(3000, 2000));
  }

  @ParameterizedTest
  @CsvSource({
    "1, 400, 900, 0, 3000, 5000, from 1 to 900",
    "0, 400, 1001, 0, 3000, 5000, of a blob of 1000",
    "0, 400, 900, 1, 3000, 5000, from 0",
    "0, 400, 400, 0, 3000, 5000, a span of 0 bytes",
    "0, 400, 300, 0, 3000, 5000, a span of -100 bytes",
    "0, 400, 900, 0, 3000, 3000, decodes to 0",
    "0, 400, 900, 0, 3000, 4999, decode to 4999 bytes",
    "0, 400, 900, 0, 300000000, 300000001, decodes to 300000000",
    "0, -9000000000000000000, 900, 0, 3000, 5000, a span of"
  })
  void read_lies_isCorrupt(
      long in0, long in1, long in2, long out0, long out1, long out2, String message) {
    MemorySegment table =
        FrameSpans.write(new long[] {in0, in1, in2}, new long[] {out0, out1, out2}, 3);
    assertThatThrownBy(() -> FrameSpans.read(table, BLOB, TAR, "test"))
        .isInstanceOf(CorruptException.class)
        .hasMessageStartingWith("frames: ")
        .hasMessageContaining(message)
        .hasMessageContaining("resource=test");
  }

  @Test
  void read_truncation_isCorrupt() {
    byte[] table =
        FrameSpans.write(new long[] {0, 400, 900}, new long[] {0, 3000, 5500}, 3)
            .toArray(JAVA_BYTE);
    for (int length = 0; length < table.length; length++) {
      MemorySegment cut = MemorySegment.ofArray(Arrays.copyOf(table, length));
      assertThatThrownBy(() -> FrameSpans.read(cut, BLOB, TAR, "test"))
          .isInstanceOf(CorruptException.class);
    }
  }

  @Test
  void read_absurdCount_isCorrupt() {
    MemorySegment table = FrameSpans.write(new long[] {0, 400}, new long[] {0, 5500}, 2);
    table.set(GzipSpans.LE_INT, 0, Integer.MAX_VALUE);
    assertThatThrownBy(() -> FrameSpans.read(table, BLOB, TAR, "test"))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("2147483647 of them");
  }
}

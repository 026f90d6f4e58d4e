package sluice.formats.soci;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;
import sluice.core.ByteRange;
import sluice.core.Bytes;
import sluice.core.CorruptException;

/** Any bytes as a zTOC, and as checkpoints: read or refused, in bounded time and room. */
class ZtocFuzzTest {

  static Stream<byte[]> ztocs() throws IOException {
    return Stream.of(new byte[0], new byte[64], ZtocTest.write(ZtocTest.smallest().open()));
  }

  static Stream<byte[]> checkpoints() throws IOException {
    return Stream.of(
        new byte[0],
        ZtocTest.smallest().open().checkpoints().toArray(JAVA_BYTE),
        GzipCheckpoints.plain(4096, 9000).toArray(JAVA_BYTE),
        FrameSpans.write(new long[] {0, 9, 30}, new long[] {0, 99, 300}, 3).toArray(JAVA_BYTE));
  }

  @MethodSource("ztocs")
  @FuzzTest(maxDuration = "10m")
  void open_anyBytes(byte[] bytes) throws IOException {
    ZtocTest.readOrCorrupt(bytes);
  }

  static Stream<byte[]> artifacts() {
    byte[] utf32 = {'{', 0, 0, 0, 0, '"', 'r', 'n'};
    return Stream.of(
        new byte[0],
        utf32,
        Bytes.utf8("{\"version\":\"1.0\",\"prefetch_spans\":[{\"start_span\":2,\"end_span\":5}]}")
            .toArray());
  }

  @MethodSource("artifacts")
  @FuzzTest(maxDuration = "10m")
  void read_anyPrefetchArtifact(byte[] bytes) {
    try {
      for (ByteRange range :
          PrefetchSpans.read(bytes, new PlainSpans(4096, 100_000, 100_000), "bad")) {
        assertThat(range.end()).isLessThanOrEqualTo(100_000);
      }
    } catch (CorruptException e) {
      assertThat(e).hasMessageContaining("resource=bad");
    }
  }

  @MethodSource("checkpoints")
  @FuzzTest(maxDuration = "10m")
  void read_anyCheckpoints(byte[] bytes) {
    long blobBytes = bytes.length;
    long tarBytes = 1000L * bytes.length;
    try {
      check(GzipSpans.read(MemorySegment.ofArray(bytes), blobBytes, tarBytes, "bad"), blobBytes);
    } catch (CorruptException e) {
      assertThat(e).hasMessageContaining("resource=bad");
    }
    try {
      check(FrameSpans.read(MemorySegment.ofArray(bytes), blobBytes, 0, "bad"), blobBytes);
    } catch (CorruptException e) {
      assertThat(e).hasMessageContaining("resource=bad");
    }
    try {
      check(PlainSpans.read(MemorySegment.ofArray(bytes), blobBytes, blobBytes, "bad"), blobBytes);
    } catch (CorruptException e) {
      assertThat(e).hasMessageContaining("resource=bad");
    }
  }

  private static void check(Spans spans, long blobBytes) {
    long end = 0;
    for (int span = 0; span < spans.count(); span++) {
      assertThat(spans.encoded(span).end()).isLessThanOrEqualTo(blobBytes);
      assertThat(spans.decoded(span).offset()).isEqualTo(end);
      end = spans.decoded(span).end();
    }
  }
}

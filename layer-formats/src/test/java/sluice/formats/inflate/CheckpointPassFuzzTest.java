package sluice.formats.inflate;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;
import sluice.core.ChunkEncoding.StreamCompression;
import sluice.core.CorruptException;
import sluice.formats.stream.LayerStream;

/** Any bytes as a gzip layer: refused where the stream is, or spans that decode to the stream. */
class CheckpointPassFuzzTest {

  private static final int SPAN_BYTES = CheckpointPass.WINDOW_BYTES;

  /** Some bytes decode to a thousand times as many. */
  private static final int MAX_TAR_BYTES = 8 << 20;

  static Stream<byte[]> seeds() {
    byte[] text = Recorded.gzip(Deflated.text(150_000));
    byte[] zeros = Recorded.gzip(new byte[100_000]);
    ByteArrayOutputStream both = new ByteArrayOutputStream();
    both.writeBytes(zeros);
    both.writeBytes(Recorded.gzip(new byte[0]));
    both.writeBytes(text);
    return Stream.of(new byte[0], text, zeros, both.toByteArray(), Arrays.copyOf(text, 20_000));
  }

  @MethodSource("seeds")
  @FuzzTest(maxDuration = "10m")
  void feed_anyBytes(byte[] blob) throws IOException {
    Optional<byte[]> tar = stream(blob);
    if (tar.isPresent() && tar.get().length == MAX_TAR_BYTES) {
      return;
    }
    try {
      Recorded recorded = Recorded.of(blob, SPAN_BYTES, blob.length % 2 == 0 ? 1 << 20 : 997);
      assertThat(tar).isPresent();
      recorded.assertSpans(blob, tar.orElseThrow());
    } catch (CorruptException e) {
      assertThat(e.offset()).isBetween(0L, (long) blob.length);
      assertThat(tar).as(e.getMessage()).isEmpty();
    }
  }

  /** What the JDK's inflater makes of it. */
  private static Optional<byte[]> stream(byte[] blob) throws IOException {
    try (InputStream stream =
        LayerStream.open(
            StreamCompression.GZIP,
            new ByteArrayInputStream(blob),
            "layer x",
            InflaterLibrary.JDK)) {
      return Optional.of(stream.readNBytes(MAX_TAR_BYTES));
    } catch (CorruptException e) {
      return Optional.empty();
    }
  }
}

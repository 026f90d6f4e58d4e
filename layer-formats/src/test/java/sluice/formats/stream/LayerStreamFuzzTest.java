package sluice.formats.stream;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.github.luben.zstd.Zstd;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.params.provider.MethodSource;
import sluice.core.ChunkEncoding.StreamCompression;
import sluice.core.CorruptException;

/** Any bytes as a compressed stream: decoded or refused. */
class LayerStreamFuzzTest {

  /** Some bytes decode to a thousand times as many. */
  private static final int READ_LIMIT_BYTES = 16 << 20;

  private static final byte[] TEXT = "one two three four five ".repeat(80).getBytes(US_ASCII);

  static Stream<byte[]> gzipSeeds() throws IOException {
    ByteArrayOutputStream encoded = new ByteArrayOutputStream();
    for (int part = 0; part < 2; part++) {
      try (GZIPOutputStream gzip = new GZIPOutputStream(encoded)) {
        gzip.write(TEXT);
      }
    }
    return Stream.of(new byte[0], encoded.toByteArray());
  }

  static Stream<byte[]> zstdSeeds() {
    return Stream.of(new byte[0], Zstd.compress(TEXT), Zstd.compress(new byte[200_000]));
  }

  @MethodSource("gzipSeeds")
  @FuzzTest(maxDuration = "10m")
  void open_anyBytesAsGzip(byte[] encoded) throws IOException {
    decode(StreamCompression.GZIP, encoded);
  }

  @MethodSource("zstdSeeds")
  @FuzzTest(maxDuration = "10m")
  void open_anyBytesAsZstd(byte[] encoded) throws IOException {
    decode(StreamCompression.ZSTD, encoded);
  }

  private static void decode(StreamCompression compression, byte[] encoded) throws IOException {
    ByteArrayInputStream source = new ByteArrayInputStream(encoded);
    try (InputStream decoded = LayerStream.open(compression, source, "layer x")) {
      long read = decoded.readNBytes(READ_LIMIT_BYTES).length;
      if (read < READ_LIMIT_BYTES) {
        assertThat(source.available()).as("the source is read to its end").isZero();
      }
    } catch (CorruptException e) {
      assertThat(e.offset()).isBetween(0L, (long) encoded.length);
    }
  }
}

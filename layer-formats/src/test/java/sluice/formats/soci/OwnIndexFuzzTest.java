package sluice.formats.soci;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.Digest;

/** Any bytes as the header of an index that was made here: what was written, or refused. */
class OwnIndexFuzzTest {

  private static final long ZTOC_BYTES = 300;

  static Stream<byte[]> headers() {
    Digest layer = Digest.sha256(new byte[] {1});
    Digest diffId = Digest.sha256(new byte[] {2});
    Descriptor ztoc = new Descriptor(SociIndex.ZTOC_TYPE, diffId, ZTOC_BYTES);
    return Stream.of(
        new byte[0],
        new byte[OwnIndex.HEADER_BYTES],
        OwnIndex.of(layer, diffId, ztoc).header().array(),
        OwnIndex.none(layer, diffId, "one zstd frame, not seekable").header().array(),
        "sluice-index 1\nlayer sha256:1\ndiff-id x\nindex y 1 z\n".getBytes(US_ASCII));
  }

  @MethodSource("headers")
  @FuzzTest(maxDuration = "10m")
  void read_anyHeader(byte[] input) {
    byte[] header = Arrays.copyOf(input, OwnIndex.HEADER_BYTES);
    OwnIndex index;
    try {
      index = OwnIndex.read(header, OwnIndex.HEADER_BYTES + ZTOC_BYTES, "file x");
    } catch (CorruptException e) {
      assertThat(e).hasMessageContaining("resource=file x");
      return;
    }
    Descriptor ztoc = index.ztoc();
    assertThat(ztoc == null || ztoc.sizeBytes() == ZTOC_BYTES).isTrue();
    assertThat(index.header().array()).isEqualTo(header);
  }
}

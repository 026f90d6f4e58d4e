package sluice.formats.estargz;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;
import sluice.core.CorruptException;
import sluice.core.FetchException;
import sluice.core.IndexTrust;
import sluice.core.LayerFormat;
import sluice.core.LayerFormat.Recognition;
import sluice.formats.toc.FlakySource;
import sluice.formats.toc.LayoutDocuments;
import sluice.formats.toc.TocLayers;

/** Any bytes as the end of a layer that may be eStargz: a TOC inside of it, none, or refused. */
class GzipFooterFuzzTest {

  private static final String GZIP = "application/vnd.oci.image.layer.v1.tar+gzip";
  private static final IndexTrust ALL = (layer, binding) -> Optional.empty();

  static Stream<byte[]> blobs() {
    byte[] toc = TocLayers.gzippedTar("{\"version\":1,\"entries\":[]}");
    return Stream.of(
        new byte[0],
        new byte[64],
        GzipFooterTest.embedded(0),
        TocLayers.concat(new byte[20], toc, GzipFooterTest.embedded(20)),
        TocLayers.concat(new byte[20], toc, GzipFooterTest.legacy(20)),
        TocLayers.concat(toc, GzipFooterTest.EXTERNAL),
        TocLayers.concat(toc, GzipFooterTest.embedded(-1)),
        TocLayers.concat(toc, GzipFooterTest.legacy(Long.MIN_VALUE)));
  }

  @MethodSource("blobs")
  @FuzzTest(maxDuration = "10m")
  void find_anyTail(byte[] tail) {
    if (GzipFooter.find(tail).orElse(null)
        instanceof GzipFooter.Embedded(long tocOffset, int bytes)) {
      assertThat(bytes).isBetween(GzipFooter.MIN_BYTES, GzipFooter.MAX_BYTES);
      // The offset is what stands before the CRC, the length and the block.
      String text = new String(tail, ISO_8859_1);
      assertThat(text.substring(0, text.length() - 13))
          .endsWith("%016xSTARGZ".formatted(tocOffset));
    }
  }

  @MethodSource("blobs")
  @FuzzTest(maxDuration = "10m")
  void recognise_anyLayer(byte[] blob) throws IOException, InterruptedException {
    LayerFormat.Layer layer = TocLayers.layer(GZIP, blob, Map.of());
    EstargzFormat format = new EstargzFormat(new FlakySource(blob, 0), new LayoutDocuments());
    try {
      if (format.recognise(layer, ALL) instanceof Recognition.Tree(var _, var origin)) {
        assertThat(origin.sizeBytes()).isBetween(1L, (long) blob.length);
      }
    } catch (FetchException e) {
      throw new AssertionError("asked for what the layer does not have", e);
    } catch (CorruptException e) {
      assertThat(e).hasMessageContaining("footer: ");
      assertThat(e).hasMessageContaining("resource=");
    }
  }
}

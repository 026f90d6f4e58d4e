package sluice.formats.zstdchunked;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
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
import sluice.formats.toc.TocLayers;

/**
 * Any bytes as the end of a layer that may be zstd:chunked, and as its annotations: a TOC inside of
 * it, none, or refused.
 */
class ManifestPositionFuzzTest {

  private static final String ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd";
  private static final IndexTrust ALL = (layer, binding) -> Optional.empty();
  private static final int BLOB_BYTES = 1000;
  private static final String DIGEST = "sha256:" + "0".repeat(64);

  /** What the lines of an input are the values of. */
  private static final List<String> NAMES =
      List.of(
          "io.github.containers.zstd-chunked.manifest-checksum",
          "io.github.containers.zstd-chunked.manifest-position",
          "io.containers.zstd-chunked.manifest-checksum",
          "io.containers.zstd-chunked.manifest-position",
          "containerd.io/snapshot/stargz/toc.digest");

  static Stream<byte[]> blobs() {
    List<byte[]> seeds = new ArrayList<>(List.of(new byte[0], new byte[64]));
    for (boolean podman : new boolean[] {true, false}) {
      for (ManifestPosition position :
          List.of(
              new ManifestPosition(8, 30, 60, 1),
              new ManifestPosition(8, 30, 60, 2),
              new ManifestPosition(7, 30, 60, 1),
              new ManifestPosition(Long.MAX_VALUE, Long.MAX_VALUE, -1, 1))) {
        seeds.add(TocLayers.concat(new byte[38], ManifestPositionTest.footer(position, podman)));
      }
    }
    return seeds.stream();
  }

  static Stream<byte[]> annotations() {
    return Stream.of(
            "",
            DIGEST + "\n8:30:60:1",
            "\n\n" + DIGEST + "\n900:100:60:1\n" + DIGEST,
            "\n\n" + DIGEST + "\n901:100:60:2",
            "\n\n\n\n" + DIGEST,
            "\n\n\n\nsha512:" + "0".repeat(128),
            "x\n999999999999999999:999999999999999999:0:1")
        .map(text -> text.getBytes(ISO_8859_1));
  }

  @MethodSource("blobs")
  @FuzzTest(maxDuration = "10m")
  void recognise_anyLayer(byte[] blob) throws IOException, InterruptedException {
    try {
      recognise(blob, Map.of());
    } catch (FetchException e) {
      throw new AssertionError("asked for what the layer does not have", e);
    } catch (CorruptException e) {
      assertThat(e).hasMessageContaining("footer: ");
      assertThat(e).hasMessageContaining("resource=layer");
    }
  }

  @MethodSource("annotations")
  @FuzzTest(maxDuration = "10m")
  void recognise_anyAnnotations(byte[] input) throws IOException, InterruptedException {
    String[] lines = new String(input, ISO_8859_1).split("\n", NAMES.size());
    Map<String, String> annotations = new HashMap<>();
    for (int i = 0; i < lines.length; i++) {
      if (!lines[i].isEmpty()) {
        annotations.put(NAMES.get(i), lines[i]);
      }
    }
    recognise(new byte[BLOB_BYTES], annotations);
  }

  private static void recognise(byte[] blob, Map<String, String> annotations)
      throws IOException, InterruptedException {
    LayerFormat.Layer layer = TocLayers.layer(ZSTD, blob, annotations);
    switch (new ZstdChunkedFormat(new FlakySource(blob, 0)).recognise(layer, ALL)) {
      case Recognition.Tree(var _, var origin) ->
          assertThat(origin.sizeBytes()).isLessThanOrEqualTo(blob.length);
      case Recognition.Refused(String reason) -> assertThat(reason).contains("annotation");
      case Recognition.Foreign() -> assertThat(annotations).doesNotContainKey(NAMES.getLast());
      case Recognition.ImageTree _, Recognition.DataOnly() ->
          throw new AssertionError("a TOC is of one layer");
    }
  }
}

package sluice.snapshotter.image;

import static org.assertj.core.api.Assertions.assertThat;
import static sluice.snapshotter.image.FakeRegistry.layer;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import sluice.core.LayerFormat;

final class StreamReasonsTest {

  private final StreamReasons reasons = new StreamReasons();

  private static LayerFormat.Layer stream(String text) {
    return LoneLayers.alone(layer("fake/stream", text));
  }

  private Optional<String> of(LayerFormat.Layer layer) {
    return reasons.of(layer.image().digest(), layer.descriptor().digest());
  }

  @Test
  void streamed_again_replacesWhatWasSaid_andKeptDoesNot() {
    LayerFormat.Layer layer = stream("a");

    reasons.streamed(layer, List.of("soci: away", "rafs: torn"));
    assertThat(of(layer)).contains("soci: away; rafs: torn");
    reasons.kept(layer, List.of("soci: kept"));
    assertThat(of(layer)).contains("soci: away; rafs: torn");
    reasons.streamed(layer, List.of());
    assertThat(of(layer)).contains("no other format in use knows it");
  }

  @Test
  void of_imageWithAVariantThatIsRefused_saysThatToo() {
    LayerFormat.Layer layer = stream("a");

    reasons.variantRefused(layer.image().digest(), "not trusted");
    assertThat(of(layer)).isEmpty();
    reasons.streamed(layer, List.of("soci: away"));
    assertThat(of(layer)).contains("variant: not trusted; soci: away");
  }

  @Test
  void streamed_anyNumberOfLayersAndLines_isOneShortLineOfTheLatest() {
    LayerFormat.Layer first = stream("first");
    reasons.streamed(first, List.of("soci: a\nb\t c"));
    assertThat(of(first)).contains("soci: a b c");

    for (int i = 0; i < 4096; i++) {
      reasons.streamed(stream("layer " + i), List.of("soci: " + "x".repeat(10_000)));
    }

    assertThat(of(first)).isEmpty();
    assertThat(of(stream("layer 0")).orElseThrow()).hasSizeLessThan(1000).endsWith("x…");
  }
}

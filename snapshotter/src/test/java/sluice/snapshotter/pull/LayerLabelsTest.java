package sluice.snapshotter.pull;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import sluice.core.Bytes;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.ImageConfig;
import sluice.core.ImageDocument;
import sluice.core.ImageReference;
import sluice.core.ImageRegistry;
import sluice.core.Platform;
import sluice.snapshotter.image.ImageManifest;
import sluice.snapshotter.image.ResolvedImage;

final class LayerLabelsTest {

  private static final String LAYERS = "containerd.io/snapshot/cri.image-layers";
  private static final String TYPE = "application/vnd.oci.image.layer.v1.tar";

  @Test
  void ofLayer_namesItAndTheLayersAbove() {
    ResolvedImage image = image(3, Map.of());
    Map<String, String> labels = LayerLabels.of(image, layer(image, 1));

    assertThat(labels)
        .containsOnly(
            Map.entry("containerd.io/snapshot.ref", image.image().chainIds().get(1).toString()),
            Map.entry("containerd.io/snapshot/cri.image-ref", "docker.io/library/debian:12"),
            Map.entry(
                "containerd.io/snapshot/cri.manifest-digest", image.image().digest().toString()),
            Map.entry("containerd.io/snapshot/sluice.target", digest(-2).toString()),
            Map.entry("containerd.io/snapshot/cri.layer-digest", digest(1).toString()),
            Map.entry(LAYERS, digest(1) + "," + digest(2)));
  }

  @Test
  void manyLayers_areCutAtTheLimit() {
    ResolvedImage image = image(100, Map.of());
    String list = LayerLabels.of(image, layer(image, 0)).getOrDefault(LAYERS, "");

    assertThat(LAYERS.length() + list.length())
        .isBetween(4096 - (1 + digest(0).toString().length()), 4096);
    assertThat(list.split(",", -1)).startsWith(digest(0).toString()).hasSize(56);
  }

  @Test
  void annotations_areInherited_butNotOthersAndNotOurs() {
    ResolvedImage image =
        image(
            1,
            Map.of(
                "containerd.io/snapshot/nydus-blob", "true",
                "containerd.io/snapshot/cri.layer-digest", "forged",
                "containerd.io/snapshot/long", "x".repeat(4096),
                "org.example", "no"));
    Map<String, String> labels = LayerLabels.of(image, layer(image, 0));

    assertThat(labels)
        .containsEntry("containerd.io/snapshot/nydus-blob", "true")
        .containsEntry("containerd.io/snapshot/cri.layer-digest", digest(0).toString())
        .doesNotContainKeys("containerd.io/snapshot/long", "org.example");
  }

  private static PulledLayer.Name layer(ResolvedImage image, int position) {
    return new PulledLayer.Name(
        position + 1,
        image.image().manifest().layers().get(position),
        image.image().chainIds().get(position));
  }

  private static ResolvedImage image(int layerCount, Map<String, String> annotations) {
    List<Descriptor> layers = new ArrayList<>();
    List<Digest> diffIds = new ArrayList<>();
    for (int i = 0; i < layerCount; i++) {
      layers.add(new Descriptor(TYPE, digest(i), 1, annotations, List.of(), null, null));
      diffIds.add(digest(1000 + i));
    }
    Descriptor config = new Descriptor("application/vnd.oci.image.config.v1+json", digest(-1), 0);
    Descriptor manifest =
        new Descriptor("application/vnd.oci.image.manifest.v1+json", digest(-2), 0);
    return new ResolvedImage(
        ImageReference.parse("debian:12"),
        List.of(),
        new ImageManifest(
            new ImageRegistry.Content(manifest, Bytes.utf8("")),
            new ImageDocument.Manifest(config, layers, Map.of(), null, null),
            new ImageRegistry.Content(config, Bytes.utf8("")),
            new ImageConfig(new Platform("linux", "amd64"), diffIds)),
        null);
  }

  private static Digest digest(int seed) {
    return Digest.sha256(Bytes.utf8(Integer.toString(seed)).toArray());
  }
}

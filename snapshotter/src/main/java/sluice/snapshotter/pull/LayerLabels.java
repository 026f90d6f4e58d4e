package sluice.snapshotter.pull;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import sluice.core.Descriptor;
import sluice.snapshotter.image.ResolvedImage;
import sluice.snapshotter.state.LayerRequest;

/**
 * What a snapshotter is told of a layer: the labels that containerd's CRI plugin and its unpacker
 * set (containerd, pkg/snapshotters/annotations.go and core/unpack), and what the reference led to.
 */
final class LayerLabels {

  private static final String REF = "containerd.io/snapshot.ref";

  /** What labels that reach a snapshotter begin with; the layer's own annotations too. */
  private static final String INHERITED = "containerd.io/snapshot/";

  private static final String IMAGE_REF = INHERITED + "cri.image-ref";
  private static final String MANIFEST_DIGEST = INHERITED + "cri.manifest-digest";
  private static final String LAYER_DIGEST = INHERITED + "cri.layer-digest";
  private static final String IMAGE_LAYERS = INHERITED + "cri.image-layers";

  /** Key and value together (containerd, pkg/labels, {@code Validate}). */
  private static final int MAX_BYTES = 4096;

  private LayerLabels() {}

  static Map<String, String> of(ResolvedImage image, PulledLayer.Name layer) {
    List<Descriptor> layers = image.image().manifest().layers();
    Map<String, String> labels = new HashMap<>();
    layer
        .descriptor()
        .annotations()
        .forEach((key, value) -> {
          if (key.startsWith(INHERITED) && utf8Length(key) + utf8Length(value) <= MAX_BYTES) {
            labels.put(key, value);
          }
        });
    labels.put(REF, layer.chainId().toString());
    labels.put(IMAGE_REF, image.reference().toString());
    labels.put(MANIFEST_DIGEST, image.image().digest().toString());
    labels.put(LayerRequest.TARGET, image.target().descriptor().digest().toString());
    labels.put(LAYER_DIGEST, layer.descriptor().digest().toString());
    labels.put(IMAGE_LAYERS, upwards(layers.subList(layer.number() - 1, layers.size())));
    return labels;
  }

  /** As many as a label holds, beginning with the layer itself. */
  private static String upwards(List<Descriptor> layers) {
    StringBuilder list = new StringBuilder();
    for (Descriptor layer : layers) {
      String digest = layer.digest().toString();
      if (IMAGE_LAYERS.length() + list.length() + 1 + digest.length() > MAX_BYTES) {
        break;
      }
      list.append(list.isEmpty() ? "" : ",").append(digest);
    }
    return list.toString();
  }

  private static int utf8Length(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }
}

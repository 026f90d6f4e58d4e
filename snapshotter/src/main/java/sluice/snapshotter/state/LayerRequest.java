package sluice.snapshotter.state;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import sluice.core.Digest;

/**
 * A layer that containerd is about to unpack, and that might be lazy instead.
 *
 * @param snapshotter the proxy plugin's name in containerd
 * @param namespace containerd's namespace; empty if the request did not say
 * @param chainId what the layer will be known by ({@code containerd.io/snapshot.ref})
 * @param below the layers below it, lowest first
 * @param labels all labels of the request
 */
public record LayerRequest(
    String snapshotter,
    String namespace,
    Digest chainId,
    List<CommittedLayer> below,
    Map<String, String> labels) {

  /** What labels that speak of the image begin with (containerd, pkg/snapshotters). */
  private static final String CRI = "containerd.io/snapshot/cri.";

  /**
   * Digest of what the reference leads to: the index, or the manifest where there is none. Only
   * {@code sluice pull} says it; so nobody has to ask the registry for it again.
   */
  public static final String TARGET = "containerd.io/snapshot/sluice.target";

  public LayerRequest {
    below = List.copyOf(below);
    labels = Map.copyOf(labels);
  }

  /** The image reference, as the user gave it. */
  public @Nullable String imageReference() {
    return labels.get(CRI + "image-ref");
  }

  /** Digest of the image's manifest, or of its index, in text form. */
  public @Nullable String manifestDigest() {
    return labels.get(CRI + "manifest-digest");
  }

  /** {@link #TARGET}, in text form. */
  public @Nullable String targetDigest() {
    return labels.get(TARGET);
  }

  /** Digest of the layer's blob, in text form. */
  public @Nullable String layerDigest() {
    return labels.get(CRI + "layer-digest");
  }

  /** Whether the labels say that the image has no layer above this one. */
  public boolean topmost() {
    String layer = layerDigest();
    return layer != null && layer.equals(labels.get(CRI + "image-layers"));
  }

  @Override
  public String toString() {
    return "layer %s of image %s".formatted(chainId, imageReference());
  }
}

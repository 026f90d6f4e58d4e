package sluice.snapshotter.pull;

import java.util.List;
import sluice.core.Descriptor;
import sluice.core.Digest;

/**
 * An image that containerd can run.
 *
 * @param name what containerd knows it by
 * @param target what it leads to: an index, or a manifest
 * @param manifest the manifest that was chosen
 * @param layers lowest first
 */
public record PulledImage(
    String name, Descriptor target, Digest manifest, List<PulledLayer> layers) {

  public PulledImage {
    layers = List.copyOf(layers);
  }

  /** How many layers are in that state. */
  public long count(PulledLayer.State state) {
    return layers.stream().filter(layer -> layer.state() == state).count();
  }
}

package sluice.snapshotter.image;

import java.nio.file.Path;
import java.util.List;
import sluice.core.DeviceId;
import sluice.core.Digest;
import sluice.core.LayerIndex.PrefetchHint;

/**
 * A layer of the library.
 *
 * @param key what it is kept under
 * @param diffId the layer's diff ID, as its format verified it
 * @param wholeImage whether the tree is that of the whole image up to this layer
 * @param metadataImage the tree
 * @param devices what the tree's files point into, in the order of its device table
 * @param hints what a container is likely to read first
 */
public record KeptLayer(
    LayerKey key,
    Digest diffId,
    boolean wholeImage,
    Path metadataImage,
    List<DeviceId> devices,
    List<PrefetchHint> hints) {

  public KeptLayer {
    devices = List.copyOf(devices);
    hints = List.copyOf(hints);
  }
}

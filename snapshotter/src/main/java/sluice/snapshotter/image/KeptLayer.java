package sluice.snapshotter.image;

import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import sluice.core.Descriptor;
import sluice.core.DeviceId;
import sluice.core.Digest;
import sluice.core.LayerIndex.PrefetchHint;
import sluice.core.Repository;

/**
 * A layer of the library.
 *
 * @param key what it is kept under
 * @param diffId the layer's diff ID, as its format verified it, or as it is claimed
 * @param wholeImage whether the tree is that of the whole image up to this layer
 * @param metadataImage the tree
 * @param devices what the tree's files point into, in the order of its device table
 * @param hints what a container is likely to read first
 * @param claim what is to be compared; null if the layer vouches for its tree, or was compared
 */
public record KeptLayer(
    LayerKey key,
    Digest diffId,
    boolean wholeImage,
    Path metadataImage,
    List<DeviceId> devices,
    List<PrefetchHint> hints,
    @Nullable Claim claim) {

  /**
   * What is claimed as long as nobody compared the tree with the layer itself.
   *
   * @param layer the layer that the tree is said to be of
   * @param holders repositories that hold it, at least one
   */
  public record Claim(Descriptor layer, Set<Repository> holders) {
    public Claim {
      holders = Set.copyOf(holders);
    }

    /** The same layer, which these hold as well. */
    Claim with(Set<Repository> more) {
      Set<Repository> all = new HashSet<>(holders);
      all.addAll(more);
      return new Claim(layer, all);
    }
  }

  public KeptLayer {
    devices = List.copyOf(devices);
    hints = List.copyOf(hints);
  }

  /** The same, after it was compared. */
  KeptLayer compared() {
    return claiming(null);
  }

  /** The same, with another claim. */
  KeptLayer claiming(@Nullable Claim other) {
    return new KeptLayer(key, diffId, wholeImage, metadataImage, devices, hints, other);
  }
}

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
   * What is claimed as long as nobody compared the tree with what it is said to be of.
   *
   * @param layers the layer that the tree is said to be of; of the tree of a whole image all layers
   *     that it stands in for, lowest first
   */
  public record Claim(List<Held> layers) {
    public Claim {
      layers = List.copyOf(layers);
    }

    /** The only layer, which these hold as well. */
    Claim with(Set<Repository> more) {
      Held layer = layers.getFirst();
      Set<Repository> all = new HashSet<>(layer.holders);
      all.addAll(more);
      return new Claim(List.of(new Held(layer.layer, layer.diffId, all)));
    }
  }

  /**
   * A layer that can be fetched.
   *
   * @param diffId what the image's configuration says of it
   * @param holders repositories that hold it, at least one
   */
  public record Held(Descriptor layer, Digest diffId, Set<Repository> holders) {
    public Held {
      holders = Set.copyOf(holders);
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

  /** The same tree, shown in another layer's place. */
  KeptLayer as(LayerKey other, Claim of) {
    return new KeptLayer(other, diffId, wholeImage, metadataImage, devices, hints, of);
  }

  /** The same, with another claim. */
  KeptLayer claiming(@Nullable Claim other) {
    return new KeptLayer(key, diffId, wholeImage, metadataImage, devices, hints, other);
  }
}

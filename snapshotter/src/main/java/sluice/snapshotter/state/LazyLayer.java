package sluice.snapshotter.state;

import java.util.Set;
import org.jspecify.annotations.Nullable;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.Repository;

/**
 * What the store keeps of a committed lazy snapshot: enough to have its content again without
 * anything else, even where it was committed as a part of a whole-image format.
 *
 * @param chainId chain ID of the layer, which containerd gave as {@code containerd.io/snapshot.ref}
 * @param diffId digest of the uncompressed layer, as the image's configuration claims it
 * @param layer descriptor of the layer's blob
 * @param holders repositories that hold the blob
 * @param manifest digest of the manifest that it was prepared from
 * @param format name of the layer format that serves it, as {@link sluice.core.LayerFormat#name}
 *     says
 * @param index digest of the index by which it is read; null where the layer's own digest vouches
 *     for all of it
 * @param imageTree digest of another layer's blob, of which {@code format} makes the tree that
 *     shows the whole chain up to this layer; null if the layer's own tree is shown
 * @param image the image reference that it was prepared for, as the user gave it
 */
public record LazyLayer(
    Digest chainId,
    Digest diffId,
    Descriptor layer,
    Set<Repository> holders,
    Digest manifest,
    String format,
    @Nullable Digest index,
    @Nullable Digest imageTree,
    String image) {

  public LazyLayer {
    holders = Set.copyOf(holders);
  }
}

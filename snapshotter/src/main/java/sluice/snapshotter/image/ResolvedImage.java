package sluice.snapshotter.image;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import sluice.core.ImageReference;
import sluice.core.ImageRegistry;
import sluice.core.Repository;

/**
 * What a reference leads to, for one platform.
 *
 * @param reference what was asked for
 * @param indexes the indexes on the way to the manifest, outermost first; none if the reference
 *     names the manifest itself
 * @param image the manifest that containerd would choose
 * @param variant the same image in a format of its own, where the same index offers it for that
 *     platform
 */
public record ResolvedImage(
    ImageReference reference,
    List<ImageRegistry.Content> indexes,
    ImageManifest image,
    @Nullable ImageManifest variant) {

  public ResolvedImage {
    indexes = List.copyOf(indexes);
  }

  /** What the reference itself names: the outermost index, or the manifest. */
  public ImageRegistry.Content target() {
    return indexes.isEmpty() ? image.content() : indexes.getFirst();
  }

  /** The repositories that hold the image's blobs. */
  public Set<Repository> holders() {
    return Set.of(reference.repository());
  }
}

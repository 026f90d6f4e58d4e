package sluice.snapshotter.image;

import java.io.IOException;
import java.nio.file.Path;
import sluice.erofs.DirectoryWalk;
import sluice.erofs.MetadataImageMerge;

/** Merges layers by the rules of {@link MetadataImageMerge}. */
final class LayerMerge {

  private LayerMerge() {}

  /** Writes the merged image to {@code out}, a file that does not exist yet. */
  static void merge(MergeInput input, DirectoryWalk walk, Path out) throws IOException {
    if (input.below().isEmpty()) {
      MetadataImageMerge.merge(input.trees(), out);
      return;
    }
    try (LayersBelow below = LayersBelow.open(input.below(), walk)) {
      MetadataImageMerge.mergeOver(input.trees(), below, out);
    }
  }
}

package sluice.snapshotter.image;

import java.nio.file.Path;
import java.util.List;

/**
 * What a merged image is made of.
 *
 * @param below what stays below it in the overlay, lowest first; its whiteouts must be kept for
 *     that, and directories that it only implies look as they do there
 * @param layers lowest first, at least one
 */
record MergeInput(List<Below> below, List<KeptLayer> layers) {

  MergeInput {
    below = List.copyOf(below);
    layers = List.copyOf(layers);
    if (layers.isEmpty()) {
      throw new IllegalArgumentException("merge: no layer");
    }
  }

  List<Path> trees() {
    return layers.stream().map(KeptLayer::metadataImage).toList();
  }

  /** A layer that stays below. */
  sealed interface Below {

    /** What it adds to the key of the merged image. */
    String name();

    /** A directory that containerd filled, under the snapshot's internal id. */
    record Local(long id, Path directory) implements Below {
      @Override
      public String name() {
        return "local " + id;
      }
    }

    /** A lazy layer below a local one. */
    record Lazy(KeptLayer layer) implements Below {
      @Override
      public String name() {
        return "lazy " + layer.key();
      }
    }
  }
}

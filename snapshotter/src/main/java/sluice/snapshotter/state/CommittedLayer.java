package sluice.snapshotter.state;

import java.nio.file.Path;

/** One committed snapshot in a chain, by where its files are. */
public sealed interface CommittedLayer {

  /**
   * A layer that was unpacked or written the ordinary way.
   *
   * @param id the snapshot's internal id, never used again for another one
   * @param directory its files, with whiteouts as overlayfs has them
   */
  record Local(long id, Path directory) implements CommittedLayer {}

  /** A layer that Sluice serves. */
  record Lazy(LazyLayer layer) implements CommittedLayer {}
}

package sluice.snapshotter.state;

import static sluice.snapshotter.state.SnapshotException.Code.UNAVAILABLE;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The lower directories of one snapshot, and the pins of those that are mounts. For one thread. */
final class Lowers implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Lowers.class);

  private final List<Path> directories = new ArrayList<>();
  private final List<LazyLayers.Pin> pins = new ArrayList<>();

  private Lowers() {}

  /**
   * Mounts what is lazy of a chain.
   *
   * @param lowers lowest first
   * @throws SnapshotException with {@code UNAVAILABLE} if a part cannot be mounted now; then none
   *     is pinned
   */
  static Lowers mount(List<Chains.Lower> lowers, LazyLayers lazyLayers)
      throws IOException, InterruptedException {
    Lowers mounted = new Lowers();
    try {
      for (Chains.Lower lower : lowers) {
        switch (lower) {
          case Chains.Lower.Directory(CommittedLayer.Local local) ->
              mounted.directories.add(local.directory());
          case Chains.Lower.Run(LazyRun run) -> mounted.add(mount(run, lazyLayers));
        }
      }
      return mounted;
    } catch (IOException | InterruptedException | RuntimeException e) {
      mounted.close();
      throw e;
    }
  }

  private static LazyLayers.Rootfs mount(LazyRun run, LazyLayers lazyLayers)
      throws IOException, InterruptedException {
    try {
      return lazyLayers.mount(run);
    } catch (SnapshotException e) {
      throw e;
    } catch (IOException e) {
      LOG.debug("run {} cannot be mounted", run, e);
      throw new SnapshotException(
          UNAVAILABLE,
          "image %s, layers up to %s, cannot be mounted: %s"
              .formatted(run.top().image(), run.top().chainId(), e.getMessage()),
          e);
    }
  }

  private void add(LazyLayers.Rootfs rootfs) {
    pins.add(rootfs.pin());
    directories.add(rootfs.lower());
  }

  /** Lowest first. */
  List<Path> directories() {
    return List.copyOf(directories);
  }

  /** The topmost one; null if there is none. */
  @Nullable Path top() {
    return directories.isEmpty() ? null : directories.getLast();
  }

  @Override
  public void close() {
    pins.forEach(LazyLayers.Pin::close);
  }
}

package sluice.snapshotter.state;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The lower directories of one snapshot, and the pins of those that are mounts. For one thread. */
final class Lowers implements AutoCloseable {

  private final List<Path> directories = new ArrayList<>();
  private final List<LazyLayers.Pin> pins = new ArrayList<>();

  void add(Path directory) {
    directories.add(directory);
  }

  /** Takes ownership of the pin. */
  void add(LazyLayers.Rootfs rootfs) {
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

package sluice.cache;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import sluice.core.DeviceId;

/**
 * The directory of a cache: one directory for each device, named by its id. A device comes and goes
 * by one rename, so that a crash leaves it whole or leaves something that {@link #clean} removes.
 */
final class Shelf {
  private static final String NEW = ".new-";
  private static final String OLD = ".old-";
  private static final Pattern ID = Pattern.compile("[0-9a-f]{64}");

  private final Path directory;
  private final AtomicLong names = new AtomicLong();

  Shelf(Path directory) {
    this.directory = directory;
  }

  /** Removes what an earlier process had begun to make or to delete. */
  void clean() throws IOException {
    for (Path path : list()) {
      String name = path.getFileName().toString();
      if (name.startsWith(NEW) || name.startsWith(OLD)) {
        Disk.deleteTree(path);
      }
    }
  }

  /** All devices. */
  List<DeviceId> ids() throws IOException {
    return list().stream()
        .map(path -> path.getFileName().toString())
        .filter(name -> ID.matcher(name).matches())
        .sorted()
        .map(DeviceId::new)
        .toList();
  }

  private List<Path> list() throws IOException {
    try (Stream<Path> paths = Files.list(directory)) {
      return paths.toList();
    }
  }

  Path directoryOf(DeviceId id) {
    return directory.resolve(id.hex());
  }

  /** A new, empty directory for a device that is being made. */
  Path begin() throws IOException {
    return Files.createDirectory(directory.resolve(NEW + names.getAndIncrement()));
  }

  /** Gives a finished device its name, for good once this returns. */
  void publish(Path made, DeviceId id) throws IOException {
    Files.move(made, directoryOf(id), StandardCopyOption.ATOMIC_MOVE);
    Disk.syncDirectory(directory);
  }

  /** Takes a device its name; what is returned is to be deleted. */
  Path remove(DeviceId id) throws IOException {
    Path old = directory.resolve(OLD + names.getAndIncrement());
    return Files.move(directoryOf(id), old, StandardCopyOption.ATOMIC_MOVE);
  }

  @Override
  public String toString() {
    return directory.toString();
  }
}

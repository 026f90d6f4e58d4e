package sluice.snapshotter.state;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Says how the root file system of an active snapshot or a view is mounted: always one mount, of a
 * type that every version of containerd and every shim knows.
 */
final class MountPlan {

  private final SnapshotDirectories directories;
  private final boolean indexCanBeOff;

  /**
   * @param overlayParameters where the kernel module shows its parameters, {@code
   *     /sys/module/overlay/parameters}
   */
  MountPlan(SnapshotDirectories directories, Path overlayParameters) {
    this.directories = directories;
    this.indexCanBeOff = Files.exists(overlayParameters.resolve("index"));
  }

  /**
   * The mounts of a snapshot.
   *
   * @param lowers the directories below it, lowest first
   * @throws SnapshotException if a label says an id mapping that is none
   */
  List<Mount> of(Snapshot snapshot, List<Path> lowers) throws SnapshotException {
    boolean writable = snapshot.kind() == Kind.ACTIVE;
    List<String> options = mappings(snapshot);
    if (lowers.isEmpty()) {
      return bind(directories.files(snapshot.id()), writable, options);
    }
    if (!writable && lowers.size() == 1) {
      return bind(lowers.getFirst(), false, options);
    }
    if (indexCanBeOff) {
      // With the inode index an upper directory may be used with one set of lowers only, ever; a
      // rootfs that was mounted again after a restart would be another set.
      options.add("index=off");
    }
    if (writable) {
      options.add("workdir=" + directories.work(snapshot.id()));
      options.add("upperdir=" + directories.files(snapshot.id()));
    }
    options.add(
        lowers.reversed().stream()
            .map(Path::toString)
            .collect(Collectors.joining(":", "lowerdir=", "")));
    return List.of(new Mount("overlay", "overlay", options));
  }

  private static List<Mount> bind(Path directory, boolean writable, List<String> options) {
    options.add(writable ? "rw" : "ro");
    options.add("rbind");
    return List.of(new Mount("bind", directory.toString(), options));
  }

  /** containerd takes these options out again and makes idmapped mounts. */
  private static List<String> mappings(Snapshot snapshot) throws SnapshotException {
    List<String> options = new ArrayList<>();
    IdMapping.of(snapshot.labels(), IdMapping.UID_LABEL)
        .ifPresent(mapping -> options.add("uidmap=" + mapping));
    IdMapping.of(snapshot.labels(), IdMapping.GID_LABEL)
        .ifPresent(mapping -> options.add("gidmap=" + mapping));
    return options;
  }
}

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
   */
  List<Mount> of(Snapshot snapshot, List<Path> lowers) throws SnapshotException {
    boolean writable = snapshot.kind() == Kind.ACTIVE;
    if (lowers.isEmpty()) {
      return bind(directories.files(snapshot.id()), writable);
    }
    if (!writable && lowers.size() == 1) {
      return bind(lowers.getFirst(), false);
    }
    return List.of(new Mount("overlay", "overlay", overlayOptions(snapshot, writable, lowers)));
  }

  private static List<Mount> bind(Path directory, boolean writable) {
    return List.of(
        new Mount("bind", directory.toString(), List.of(writable ? "rw" : "ro", "rbind")));
  }

  private List<String> overlayOptions(Snapshot snapshot, boolean writable, List<Path> lowers)
      throws SnapshotException {
    List<String> options = new ArrayList<>();
    if (indexCanBeOff) {
      // With the inode index an upper directory may be used with one set of lowers only, ever; a
      // rootfs that was mounted again after a restart would be another set.
      options.add("index=off");
    }
    if (writable) {
      // containerd takes these two out again and makes idmapped mounts of the lowers.
      mapping(options, snapshot, IdMapping.UID_LABEL, "uidmap=");
      mapping(options, snapshot, IdMapping.GID_LABEL, "gidmap=");
      options.add("workdir=" + directories.work(snapshot.id()));
      options.add("upperdir=" + directories.files(snapshot.id()));
    }
    options.add(
        lowers.reversed().stream()
            .map(Path::toString)
            .collect(Collectors.joining(":", "lowerdir=", "")));
    return options;
  }

  private static void mapping(List<String> options, Snapshot snapshot, String label, String option)
      throws SnapshotException {
    IdMapping.of(snapshot.labels(), label).ifPresent(mapping -> options.add(option + mapping));
  }
}

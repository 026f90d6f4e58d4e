package sluice.command;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.linux.MountTable;

/**
 * Root file systems of containers that an earlier daemon served: their image ended with it, and
 * mounting the image again does not reach them. Who runs the node must know which they are.
 */
final class LostRoots {

  private static final Logger LOG = LoggerFactory.getLogger(LostRoots.class);

  private LostRoots() {}

  /** Warns of each. To be called before anything is mounted. */
  static void warn(Path root) throws IOException {
    for (String target : of(MountTable.read(), root)) {
      LOG.warn(
          "the container at {} has lost its image, which the daemon before this one served: reads"
              + " fail until the container is started again",
          target);
    }
  }

  /** Where overlays are mounted that stand on images below {@code root}. */
  static List<String> of(List<MountTable.Entry> mounts, Path root) {
    String images = root.toAbsolutePath().normalize().resolve("m") + "/";
    return mounts.stream()
        .filter(mount -> mount.type().equals("overlay") && standsOn(mount.options(), images))
        .map(MountTable.Entry::target)
        .toList();
  }

  /** overlayfs shows {@code lowerdir=A:B}, or since Linux 6.5 {@code lowerdir+=A}. */
  private static boolean standsOn(String options, String images) {
    return options.contains("=" + images) || options.contains(":" + images);
  }
}

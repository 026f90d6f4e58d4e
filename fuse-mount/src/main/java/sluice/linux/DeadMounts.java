package sluice.linux;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Mounts whose server has died without unmounting them. */
public final class DeadMounts {

  private static final Logger LOG = LoggerFactory.getLogger(DeadMounts.class);

  /** Mounts may lie on each other; more than this is no accident. */
  private static final int MAX_STACKED = 16;

  private DeadMounts() {}

  /**
   * Unmounts dead FUSE mounts at exactly {@code target}, or bound there. Programs that still use
   * one have errors already.
   *
   * @throws IOException if a live FUSE file system is mounted there
   */
  public static void clear(Path target) throws IOException {
    for (int i = 0; i < MAX_STACKED; i++) {
      Optional<MountTable.Entry> mount = MountTable.at(target);
      if (mount.isEmpty() || !mount.get().type().startsWith("fuse")) {
        return;
      }
      if (!isDead(target)) {
        if (MountTable.at(target).isEmpty()) {
          return; // unmounted meanwhile
        }
        throw new IOException(
            "mount %s: a %s file system is mounted there and is being served; unmount it first"
                .formatted(target, mount.get().type()));
      }
      unmount(target);
    }
    throw new IOException(
        "mount %s: more than %d dead mounts lie there".formatted(target, MAX_STACKED));
  }

  /**
   * Unmounts all dead mounts of one type below a directory, those on top first.
   *
   * @param type of our own, {@code fuse.sluice}: asking a mount whether it is dead waits if its
   *     server is alive and hangs
   */
  public static void clearBelow(Path directory, String type) throws IOException {
    String prefix = directory.toAbsolutePath().normalize() + "/";
    for (MountTable.Entry mount : MountTable.read().reversed()) {
      if (mount.type().equals(type) && mount.target().startsWith(prefix)) {
        Path target = Path.of(mount.target());
        if (isDead(target)) {
          unmount(target);
        }
      }
    }
  }

  private static boolean isDead(Path target) {
    int errno = Linux.probe(target);
    return errno == Errno.ENOTCONN || errno == Errno.ECONNABORTED;
  }

  private static void unmount(Path target) throws LinuxException {
    LOG.info("{}: unmounting what a dead process left there", target);
    try {
      Linux.unmount(target, Linux.MNT_DETACH | Linux.UMOUNT_NOFOLLOW);
    } catch (LinuxException e) {
      if (e.errno() != Errno.EINVAL) {
        throw e;
      }
      LOG.debug("{}: another thread was faster", target);
    }
  }
}

package sluice.fuse;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.linux.DeadMounts;
import sluice.linux.Errno;
import sluice.linux.Linux;
import sluice.linux.LinuxException;
import sluice.linux.MountTable;

/** What transports share of mount(2), umount2(2) and the kernel's settings of a mount. */
public final class FuseMounts {

  private static final Logger LOG = LoggerFactory.getLogger(FuseMounts.class);

  /** {@code fuse} with a subtype, which mount tables show: whose mount it is. */
  public static final String TYPE = "fuse.sluice";

  private static final String SOURCE = "sluice";
  private static final int DIRECTORY = 040000;

  private FuseMounts() {}

  /**
   * Mounts the session of {@code /dev/fuse} open as {@code fd}.
   *
   * @throws LinuxException that says what is missing
   */
  public static void mount(Path target, int fd, int maxReadBytes, FuseOptions options)
      throws IOException {
    DeadMounts.clear(target);
    long flags = Linux.MS_RDONLY;
    if (!options.setId()) {
      flags |= Linux.MS_NOSUID;
    }
    if (!options.deviceNodes()) {
      flags |= Linux.MS_NODEV;
    }
    // The kernel checks permissions itself, for every user: it has all attributes.
    String data =
        "fd=%d,rootmode=%o,user_id=0,group_id=0,default_permissions,allow_other,max_read=%d"
            .formatted(fd, DIRECTORY, maxReadBytes);
    try {
      Linux.mount(SOURCE, target, TYPE, flags, data);
    } catch (LinuxException e) {
      throw new LinuxException(e.getMessage() + "; " + advice(e.errno()), e.errno());
    }
  }

  private static String advice(int errno) {
    return switch (errno) {
      case Errno.EPERM ->
          "mounting needs root, and in a container CAP_SYS_ADMIN and a security profile that allows"
              + " mount";
      case Errno.ENODEV -> "this kernel has no FUSE: load the module with \"modprobe fuse\"";
      case Errno.ENOENT, Errno.ENOTDIR -> "the directory must exist";
      default -> "see mount(2)";
    };
  }

  /**
   * Unmounts and ends the session, whoever uses it: its readers get errors from now on. Without the
   * force a mount that is bound elsewhere, or that a container still holds, would live on.
   */
  public static void unmount(Path target) throws IOException {
    try {
      Linux.unmount(target, Linux.MNT_FORCE | Linux.MNT_DETACH | Linux.UMOUNT_NOFOLLOW);
    } catch (LinuxException e) {
      if (e.errno() != Errno.EINVAL) {
        throw e;
      }
      LOG.debug("{}: somebody else unmounted it", target);
    }
  }

  /** INIT can only lower the kernel's read-ahead of 128 KiB; sysfs can raise it. */
  public static void setReadAhead(Path target, int bytes) throws IOException {
    Optional<MountTable.Entry> mount = MountTable.at(target);
    if (mount.isEmpty()) {
      return;
    }
    Path setting = Path.of("/sys/class/bdi", mount.get().device(), "read_ahead_kb");
    try {
      Files.write(setting, Integer.toString(bytes >> 10).getBytes(StandardCharsets.US_ASCII));
    } catch (IOException e) {
      LOG.warn(
          "{}: read-ahead stays at the kernel's default, large reads are slower ({}: {})",
          target,
          setting,
          e.getMessage());
    }
  }
}

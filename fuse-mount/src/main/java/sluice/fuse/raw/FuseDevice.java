package sluice.fuse.raw;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import sluice.linux.Errno;
import sluice.linux.Linux;
import sluice.linux.LinuxException;

/**
 * {@code /dev/fuse}, open: one session. It is never cloned, so that whoever holds this one file
 * descriptor holds the session. Safe for use by many threads.
 */
final class FuseDevice {

  private static final Path DEVICE = Path.of("/dev/fuse");

  private final int fd;

  private FuseDevice(int fd) {
    this.fd = fd;
  }

  /**
   * Opens a session that is not mounted yet.
   *
   * @throws LinuxException that says what is missing
   */
  static FuseDevice open() throws LinuxException {
    try {
      return new FuseDevice(Linux.open(DEVICE, Linux.O_RDWR | Linux.O_CLOEXEC));
    } catch (LinuxException e) {
      throw new LinuxException(e.getMessage() + "; " + advice(e.errno()), e.errno());
    }
  }

  private static String advice(int errno) {
    return switch (errno) {
      case Errno.ENOENT, Errno.ENXIO, Errno.ENODEV ->
          "this host has no FUSE: load the module with \"modprobe fuse\", and in a container pass"
              + " --device /dev/fuse";
      case Errno.EPERM, Errno.EACCES ->
          "FUSE is not allowed here: run as root, and in a container with --device /dev/fuse and"
              + " CAP_SYS_ADMIN";
      default -> "FUSE is needed for this mount driver";
    };
  }

  int fd() {
    return fd;
  }

  /**
   * Takes one request, waiting for it.
   *
   * @return its length in bytes, 0 if there is none after all (it was taken back, or a signal
   *     came), or -1 if the session has ended
   */
  long take(MemorySegment buffer) throws IOException {
    long count = Linux.read(fd, buffer, buffer.byteSize());
    if (count >= 0) {
      return count;
    }
    return switch ((int) -count) {
      case Errno.EINTR, Errno.EAGAIN, Errno.ENOENT -> 0;
      case Errno.ENODEV, Errno.ECONNABORTED -> -1;
      default -> throw new LinuxException("read(/dev/fuse)", (int) -count);
    };
  }

  /**
   * Writes one answer or notification, header included.
   *
   * @return false if the kernel wants it no more: the request was taken back, or the session ended
   */
  boolean put(MemorySegment message, long lengthBytes) throws IOException {
    long count = Linux.write(fd, message, lengthBytes);
    if (count == lengthBytes) {
      return true;
    }
    return switch ((int) -count) {
      case Errno.ENOENT, Errno.EINTR, Errno.ENODEV, Errno.ECONNABORTED, Errno.ENOTCONN -> false;
      default ->
          throw new LinuxException(
              "write(/dev/fuse, %d bytes)".formatted(lengthBytes), (int) Math.max(0, -count));
    };
  }

  void close() {
    Linux.close(fd);
  }
}

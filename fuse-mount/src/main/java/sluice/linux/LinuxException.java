package sluice.linux;

import java.io.IOException;

/** The kernel refused a system call. */
public final class LinuxException extends IOException {
  private static final long serialVersionUID = 1L;

  private final int errno;

  /**
   * A call that failed.
   *
   * @param call the call with what it was asked: {@code umount2(/mnt, MNT_DETACH)}
   */
  public LinuxException(String call, int errno) {
    super(call + ": " + Errno.name(errno));
    this.errno = errno;
  }

  /** One of {@link Errno}, or another positive number. */
  public int errno() {
    return errno;
  }
}

package sluice.cache;

import java.io.IOException;

/** The disk did not take the bytes of a chunk. The message says where, why and what to do. */
public final class DiskException extends IOException {
  private static final long serialVersionUID = 1L;

  /**
   * Less than this that is free, and a failed write failed for want of space: Java has no code for
   * ENOSPC, and its text is in the language of the host.
   */
  static final long FULL_BELOW_BYTES = 16L << 20;

  private final boolean full;

  DiskException(String message, boolean full, IOException cause) {
    super(message, cause);
    this.full = full;
  }

  /** Whether the file system has no space left. */
  public boolean full() {
    return full;
  }
}

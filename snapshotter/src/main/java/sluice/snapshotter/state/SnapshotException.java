package sluice.snapshotter.state;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A call on snapshots that cannot be done. The message is for people; the code for containerd. */
public final class SnapshotException extends IOException {
  private static final long serialVersionUID = 1L;

  /** What containerd makes of it (its package errdefs). */
  public enum Code {
    INVALID_ARGUMENT,
    NOT_FOUND,
    ALREADY_EXISTS,
    FAILED_PRECONDITION,
    /** The disk is full. */
    RESOURCE_EXHAUSTED,
    /** The store is damaged. */
    DATA_LOSS,
    /** Cannot be done now; the same call may succeed later. */
    UNAVAILABLE
  }

  private final Code code;

  public SnapshotException(Code code, String message) {
    this(code, message, null);
  }

  public SnapshotException(Code code, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.code = code;
  }

  public Code code() {
    return code;
  }
}

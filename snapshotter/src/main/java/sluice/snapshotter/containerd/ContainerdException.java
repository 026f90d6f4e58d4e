package sluice.snapshotter.containerd;

import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import java.io.IOException;

/** containerd refused a call, or did not answer. */
public final class ContainerdException extends IOException {
  private static final long serialVersionUID = 1L;

  /** What it means for the caller. */
  public enum Reason {
    NOT_FOUND,
    ALREADY_EXISTS,
    /** Nobody listens, or the connection broke. */
    UNREACHABLE,
    /** What listens does not know the call. */
    UNIMPLEMENTED,
    /** All else; the message says it. */
    FAILED
  }

  private final Reason reason;

  private ContainerdException(String message, Reason reason, Throwable cause) {
    super(message, cause);
    this.reason = reason;
  }

  public Reason reason() {
    return reason;
  }

  static ContainerdException of(String what, StatusRuntimeException fault) {
    return of(what, fault.getStatus(), fault);
  }

  static ContainerdException of(String what, StatusException fault) {
    return of(what, fault.getStatus(), fault);
  }

  private static ContainerdException of(String what, Status status, Throwable cause) {
    Throwable root = status.getCause();
    String message =
        "containerd: %s: %s%s"
            .formatted(
                what,
                status.getDescription() == null ? status.getCode() : status.getDescription(),
                root == null ? "" : " (" + root.getMessage() + ")");
    return new ContainerdException(message, reason(status.getCode()), cause);
  }

  private static Reason reason(Status.Code code) {
    return switch (code) {
      case NOT_FOUND -> Reason.NOT_FOUND;
      case ALREADY_EXISTS -> Reason.ALREADY_EXISTS;
      case UNAVAILABLE -> Reason.UNREACHABLE;
      case UNIMPLEMENTED -> Reason.UNIMPLEMENTED;
      case OK,
          CANCELLED,
          UNKNOWN,
          INVALID_ARGUMENT,
          DEADLINE_EXCEEDED,
          PERMISSION_DENIED,
          RESOURCE_EXHAUSTED,
          FAILED_PRECONDITION,
          ABORTED,
          OUT_OF_RANGE,
          INTERNAL,
          DATA_LOSS,
          UNAUTHENTICATED ->
          Reason.FAILED;
    };
  }
}

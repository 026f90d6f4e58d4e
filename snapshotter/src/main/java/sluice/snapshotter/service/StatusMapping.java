package sluice.snapshotter.service;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import sluice.core.CorruptException;
import sluice.core.FetchException;
import sluice.snapshotter.state.SnapshotException;

/** Which gRPC status containerd gets for which fault. */
final class StatusMapping {

  private StatusMapping() {}

  static StatusRuntimeException of(Throwable fault) {
    return status(fault).withDescription(description(fault)).withCause(fault).asRuntimeException();
  }

  /** Whether the fault is Sluice's or the node's own, so that someone should look into the log. */
  static boolean isOurs(Status.Code code) {
    return switch (code) {
      case INTERNAL, DATA_LOSS, RESOURCE_EXHAUSTED, UNAVAILABLE, UNKNOWN -> true;
      case OK,
          CANCELLED,
          INVALID_ARGUMENT,
          DEADLINE_EXCEEDED,
          NOT_FOUND,
          ALREADY_EXISTS,
          PERMISSION_DENIED,
          FAILED_PRECONDITION,
          ABORTED,
          OUT_OF_RANGE,
          UNIMPLEMENTED,
          UNAUTHENTICATED ->
          false;
    };
  }

  private static Status status(Throwable fault) {
    return switch (fault) {
      case SnapshotException e ->
          switch (e.code()) {
            case INVALID_ARGUMENT -> Status.INVALID_ARGUMENT;
            case NOT_FOUND -> Status.NOT_FOUND;
            case ALREADY_EXISTS -> Status.ALREADY_EXISTS;
            case FAILED_PRECONDITION -> Status.FAILED_PRECONDITION;
            case RESOURCE_EXHAUSTED -> Status.RESOURCE_EXHAUSTED;
            case DATA_LOSS -> Status.DATA_LOSS;
            case UNAVAILABLE -> Status.UNAVAILABLE;
          };
      case FetchException e -> Status.UNAVAILABLE;
      case CorruptException e -> Status.DATA_LOSS;
      case InterruptedException e -> Status.CANCELLED;
      default -> Status.INTERNAL;
    };
  }

  private static String description(Throwable fault) {
    String message = fault.getMessage();
    return fault instanceof InterruptedException
        ? "the caller gave up"
        : message == null ? fault.getClass().getSimpleName() : message;
  }
}

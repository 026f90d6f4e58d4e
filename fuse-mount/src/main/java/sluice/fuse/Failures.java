package sluice.fuse;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.linux.Errno;

/**
 * The one place where a failure becomes an errno, and is logged. What a program can do nothing
 * about is EIO, a full disk too: no program expects ENOSPC of a read, the log says what it was.
 */
public final class Failures {

  private static final Logger LOG = LoggerFactory.getLogger(Failures.class);

  /** For what belongs to no image. */
  private static final RateLimit OTHERS = new RateLimit();

  private Failures() {}

  /** A read that failed: the errno of its answer. Logged at most once a second and image. */
  public static int ofRead(ReadPlan plan, Throwable failure) {
    if (failure instanceof InterruptedException) {
      return Errno.EINTR;
    }
    long held = plan.image().failures().pass();
    if (held >= 0) {
      LOG.error(
          "read failed with EIO: {}: {} ({} more since the last such line)",
          plan,
          failure.getMessage() == null ? failure.toString() : failure.getMessage(),
          held,
          unexpected(failure));
    }
    return Errno.EIO;
  }

  /** Any other request that failed: the errno of its answer. */
  public static int ofRequest(Object request, Throwable failure) {
    if (failure instanceof StaleNodeException) {
      return Errno.ESTALE;
    }
    long held = OTHERS.pass();
    if (held >= 0) {
      LOG.error(
          "request failed with EIO: {}: {} ({} more since the last such line)",
          request,
          failure.getMessage() == null ? failure.toString() : failure.getMessage(),
          held,
          unexpected(failure));
    }
    return Errno.EIO;
  }

  /** The failure, if it is a fault of ours whose stack trace is worth printing. */
  private static @Nullable Throwable unexpected(Throwable failure) {
    return failure instanceof IOException ? null : failure;
  }
}

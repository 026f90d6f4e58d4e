package sluice.registry;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import sluice.core.FetchException;

/** One attempt at one source failed. {@link Failover} decides what follows. */
final class FailedAttempt extends IOException {
  private static final long serialVersionUID = 1L;

  private final FetchException failure;
  private final @Nullable Duration retryAfter;

  FailedAttempt(FetchException failure, @Nullable Duration retryAfter) {
    super(failure.getMessage(), failure);
    this.failure = failure;
    this.retryAfter = retryAfter;
  }

  FailedAttempt(String message, FetchException.Reason reason, int status) {
    this(new FetchException(message, reason, status, null), null);
  }

  /** The same failure for another thread; exceptions that threads share mix what they suppress. */
  FailedAttempt copy() {
    return new FailedAttempt(
        new FetchException(
            String.valueOf(failure.getMessage()), failure.reason(), failure.status(), failure),
        retryAfter);
  }

  FetchException failure() {
    return failure;
  }

  /** How long the server asks to wait. */
  Optional<Duration> retryAfter() {
    return Optional.ofNullable(retryAfter);
  }
}

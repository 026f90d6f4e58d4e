package sluice.registry;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import sluice.core.CorruptException;
import sluice.core.FetchException;
import sluice.core.Lane;

/**
 * Tries sources until one answers: the only place where anything is tried again.
 *
 * <p>One round asks each source once, those that answered last first, those that gave wrong bytes
 * last. A source whose failure is not temporary is left out of later rounds. Between rounds lies a
 * pause that grows, with jitter, and is at least what a server asked for by {@code Retry-After}; if
 * that does not fit before the deadline, the last failure is thrown at once, with those of the
 * other sources suppressed.
 *
 * <p>Failures are not remembered, but for the order: the next call tries every source again.
 */
final class Failover {

  /** Rounds of one call; with the pauses below they end after 3 s at most, if nothing hangs. */
  static final int ROUNDS = 5;

  /** Upper bound of the first pause; each later one is twice as long. */
  private static final Duration FIRST_PAUSE = Duration.ofMillis(200);

  /** Waits; tests do not. */
  interface Sleeper {
    void sleep(Duration duration) throws InterruptedException;
  }

  /** One attempt at one source. */
  interface Attempt<T> {
    /**
     * Asks once.
     *
     * @throws FailedAttempt if another source, or a later attempt, may succeed
     * @throws CorruptException if this source's content is not what its digest says
     */
    T on(Source source, Deadline deadline) throws IOException, InterruptedException;
  }

  private final Recency recency = new Recency();
  private final FetchListener listener;
  private final RandomGenerator random;
  private final Sleeper sleeper;

  Failover(FetchListener listener, RandomGenerator random, Sleeper sleeper) {
    this.listener = listener;
    this.random = random;
    this.sleeper = sleeper;
  }

  /**
   * The result of the first attempt that succeeds.
   *
   * @param lane who waits, for the listener
   * @param sources at least one
   * @throws FetchException if none answered
   */
  <T> T run(Lane lane, List<Source> sources, Duration limit, Attempt<T> attempt)
      throws IOException, InterruptedException {
    Deadline deadline = Deadline.after(limit);
    List<Source> open = new ArrayList<>(recency.order(sources));
    IOException last = null;
    for (int round = 1; ; round++) {
      Duration pause = pauseAfter(round);
      Duration asked = null;
      for (Source source : List.copyOf(open)) {
        try {
          T result = attempt.on(source, deadline);
          recency.succeeded(source);
          return result;
        } catch (FailedAttempt e) {
          recency.failed(source);
          listener.failed(lane, e.failure().reason());
          asked = sooner(asked, e.retryAfter());
          if (!e.failure().temporary()) {
            open.remove(source);
          }
          last = joined(e.failure(), last);
        } catch (CorruptException e) {
          recency.failed(source);
          listener.failed(lane, FetchException.Reason.PROTOCOL);
          open.remove(source);
          last = joined(e, last);
        }
      }
      if (asked != null && asked.compareTo(pause) > 0) {
        pause = asked;
      }
      if (last == null) {
        throw new IllegalArgumentException("no repository to ask");
      }
      if (open.isEmpty() || round == ROUNDS || pause.toNanos() >= deadline.remainingNanos()) {
        throw last;
      }
      sleeper.sleep(pause);
    }
  }

  /** Bytes that {@code source} gave are wrong: from now on it is asked after all others. */
  void gaveWrongBytes(Source source) {
    recency.gaveWrongBytes(source);
  }

  /** Full jitter: clients that failed together do not come back together. */
  private Duration pauseAfter(int round) {
    return Duration.ofNanos(random.nextLong(FIRST_PAUSE.toNanos() << (round - 1)));
  }

  private static @Nullable Duration sooner(@Nullable Duration a, Optional<Duration> b) {
    if (b.isEmpty() || (a != null && a.compareTo(b.get()) <= 0)) {
      return a;
    }
    return b.get();
  }

  private static IOException joined(IOException failure, @Nullable IOException before) {
    if (before != null) {
      failure.addSuppressed(before);
    }
    return failure;
  }
}

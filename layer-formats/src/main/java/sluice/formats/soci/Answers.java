package sluice.formats.soci;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import sluice.core.FetchException;

/**
 * What was found out lately: a few answers, for a while, so that the layers of one image ask for
 * the same once. That there was none is kept, too, for a shorter while: a registry that fails is
 * not asked for each layer again. Safe for use by many threads; each question is asked on a thread
 * of its own, and goes on when whoever waited for it is interrupted.
 */
final class Answers<K, V> {

  /** Images whose layers are prepared at the same time. */
  private static final int MAX_KEPT = 64;

  /** Longer than the layers of an image take to be recognised; a new referrer is seen soon. */
  static final Duration KEPT = Duration.ofMinutes(1);

  /** As long as the layers of one image are prepared; who pulls again later asks anew. */
  static final Duration FAILURE_KEPT = Duration.ofSeconds(10);

  /**
   * A question.
   *
   * @param ended when there was an answer, or a failure
   */
  private record Asked<V>(FutureTask<V> answer, Instant at, AtomicReference<Instant> ended) {}

  private final InstantSource clock;

  /** Guards the map; not held while anybody is asked. */
  private final ReentrantLock lock = new ReentrantLock();

  private final Map<K, Asked<V>> kept =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<K, Asked<V>> eldest) {
          return size() > MAX_KEPT;
        }
      };

  Answers(InstantSource clock) {
    this.clock = clock;
  }

  /**
   * The answer, from whoever asked before or from {@code question}.
   *
   * @param patience how long after the question was asked there must be an answer
   * @throws IOException what the question failed with, for whoever asked it
   */
  V get(K key, Duration patience, Callable<V> question) throws IOException, InterruptedException {
    Asked<V> asked = asked(key, question);
    long left = Duration.between(clock.instant(), asked.at.plus(patience)).toNanos();
    try {
      // A clock that was set back would make it longer.
      return asked.answer.get(Math.clamp(left, 0, patience.toNanos()), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      throw new FetchException(
          "%s: no answer within %d s".formatted(key, patience.toSeconds()),
          FetchException.Reason.UNREACHABLE,
          0,
          e);
    } catch (CancellationException e) {
      throw new FetchException(
          "%s: given up after %d s without an answer".formatted(key, KEPT.toSeconds()),
          FetchException.Reason.UNREACHABLE,
          0,
          e);
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case IOException failed -> throw failed;
        case RuntimeException broken -> throw broken;
        case null, default -> throw new IOException(key + ": " + e.getCause(), e);
      }
    }
  }

  private Asked<V> asked(K key, Callable<V> question) {
    Asked<V> mine = ask(question);
    lock.lock();
    try {
      Asked<V> before = kept.get(key);
      if (before != null && !isOld(before, mine.at)) {
        return before;
      }
      if (before != null) {
        // It may still wait for a registry that never answers.
        before.answer.cancel(true);
      }
      kept.put(key, mine);
    } finally {
      lock.unlock();
    }
    Thread.ofVirtual().name("ask for " + key).start(mine.answer);
    return mine;
  }

  private Asked<V> ask(Callable<V> question) {
    Instant now = clock.instant();
    AtomicReference<Instant> ended = new AtomicReference<>(now);
    Callable<V> timed =
        () -> {
          try {
            return question.call();
          } finally {
            ended.set(clock.instant());
          }
        };
    return new Asked<>(new FutureTask<>(timed), now, ended);
  }

  private static boolean isOld(Asked<?> asked, Instant now) {
    Instant until =
        switch (asked.answer.state()) {
          case RUNNING, SUCCESS -> asked.at.plus(KEPT);
          case FAILED, CANCELLED -> asked.ended.get().plus(FAILURE_KEPT);
        };
    return until.isBefore(now);
  }
}

package sluice.snapshotter.image;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Work that several callers may ask for at once and that is done once. It runs on a thread of its
 * own, so it outlives a caller that gives up, and a later caller joins it. Results are not kept
 * beyond the work, and neither are failures.
 */
final class SingleFlight<K, V> {

  private final ConcurrentHashMap<K, FutureTask<V>> flights = new ConcurrentHashMap<>();
  private final ExecutorService workers;

  SingleFlight(ExecutorService workers) {
    this.workers = workers;
  }

  /** The work for {@code key} that is under way, or {@code work}, now begun. */
  Future<V> join(K key, Work<V> work) {
    FutureTask<V> mine =
        new FutureTask<>(work::run) {
          @Override
          protected void done() {
            flights.remove(key, this);
          }
        };
    FutureTask<V> flying = flights.putIfAbsent(key, mine);
    while (flying != null) {
      if (!flying.isDone()) {
        return flying;
      }
      // Its waiters are let go a moment before done() takes it out.
      flights.remove(key, flying);
      flying = flights.putIfAbsent(key, mine);
    }
    try {
      workers.execute(mine);
    } catch (RejectedExecutionException e) {
      flights.remove(key, mine);
      throw e;
    }
    return mine;
  }

  /** Whether work for {@code key} is under way. */
  boolean flying(K key) {
    FutureTask<V> flying = flights.get(key);
    return flying != null && !flying.isDone();
  }

  /** Waits for a result of {@link #join}; the failure of the work is thrown as it was. */
  static <V> V await(Future<V> flight) throws IOException, InterruptedException {
    try {
      return flight.get();
    } catch (ExecutionException e) {
      throw failure(e);
    }
  }

  /**
   * Waits for a result of {@link #join}, but no longer than {@code limit}.
   *
   * @throws TimeoutException if it is not there by then; the work goes on
   */
  static <V> V await(Future<V> flight, Duration limit)
      throws IOException, InterruptedException, TimeoutException {
    try {
      return flight.get(Math.max(0, limit.toNanos()), TimeUnit.NANOSECONDS);
    } catch (ExecutionException e) {
      throw failure(e);
    }
  }

  private static IOException failure(ExecutionException e) {
    return switch (e.getCause()) {
      case IOException failure -> failure;
      case RuntimeException failure -> throw failure;
      case Error failure -> throw failure;
      case null -> new IOException(e);
      // InterruptedException: the daemon is stopping, which is no interrupt of the caller's thread.
      case Throwable failure -> new IOException("given up: " + failure, failure);
    };
  }
}

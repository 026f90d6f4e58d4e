package sluice.snapshotter.check;

import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Runs work that a peer can draw out for ever. */
final class TimeLimit {

  private TimeLimit() {}

  /**
   * Runs {@code work} on a thread of its own, which has ended when this returns or throws.
   *
   * @param name of the thread
   * @throws IOException if the work threw one, or took longer than {@code limit} and was
   *     interrupted
   * @throws InterruptedException if the caller is interrupted; so was the work
   */
  static <T> T call(String name, Duration limit, Callable<T> work)
      throws IOException, InterruptedException {
    FutureTask<T> task = new FutureTask<>(work);
    Thread thread = Thread.ofPlatform().name(name).daemon().start(task);
    try {
      return task.get(limit.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw new IOException("was not done within %d s".formatted(limit.toSeconds()), e);
    } catch (ExecutionException e) {
      throw cause(e);
    } finally {
      task.cancel(true);
      join(thread);
    }
  }

  private static IOException cause(ExecutionException e) throws InterruptedException {
    Throwable cause = Objects.requireNonNull(e.getCause());
    return switch (cause) {
      case IOException failure -> failure;
      case InterruptedException interrupted -> throw interrupted;
      case RuntimeException failure -> throw failure;
      case Error error -> throw error;
      default -> new IOException(cause);
    };
  }

  /** Also of a caller that is interrupted: what the work deletes at its end is nobody else's. */
  private static void join(Thread thread) {
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}

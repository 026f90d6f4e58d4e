package sluice.registry;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/** Waits for what another thread does on a socket. */
final class Waiting {

  /** Work that may fail. */
  interface Task<T> {
    T run() throws IOException;
  }

  private Waiting() {}

  /**
   * Completes {@code result} by what {@code task} gives or throws.
   *
   * @param unwanted takes what the task gives when nobody waits for it any more
   */
  static <T> void complete(
      CompletableFuture<T> result, Task<T> task, Consumer<? super T> unwanted) {
    try {
      T value = task.run();
      if (!result.complete(value)) {
        unwanted.accept(value);
      }
    } catch (IOException | RuntimeException | Error e) {
      // An Error too: nobody else would tell the thread that waits.
      result.completeExceptionally(e);
    }
  }

  /**
   * The result, once it is there.
   *
   * @throws SocketTimeoutException if the deadline passes first
   */
  static <T> T get(CompletableFuture<T> result, Deadline deadline)
      throws IOException, InterruptedException {
    try {
      return result.get(deadline.remainingNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      SocketTimeoutException late = new SocketTimeoutException("not done before the deadline");
      late.initCause(e);
      throw late;
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case IOException io -> throw io;
        case RuntimeException bug -> throw bug;
        case Error error -> throw error;
        case null, default -> throw new AssertionError("a task throws nothing else", e);
      }
    }
  }

  /** Waits for the end of {@code worker}, whose socket is closed already. */
  static void joinUninterruptibly(Thread worker) {
    boolean interrupted = false;
    while (worker.isAlive()) {
      try {
        worker.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}

package sluice.command;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * SIGINT and SIGTERM as an event: the command that waits for it ends in its own way, and then the
 * process with the command's exit code.
 */
final class StopSignal {

  /** How long a command may take to end once it was asked to. */
  private static final Duration GRACE = Duration.ofSeconds(30);

  private final CountDownLatch asked = new CountDownLatch(1);
  private final CountDownLatch finished = new CountDownLatch(1);
  private volatile int exitCode;

  /** Whom a signal interrupts. Guarded by this. */
  private @Nullable Thread worker;

  /** Begins to listen. */
  void listen() {
    Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(this::stop));
  }

  /** Waits for a signal, but not longer than {@code limit}; whether there was one. */
  boolean await(Duration limit) throws InterruptedException {
    return asked.await(limit.toNanos(), TimeUnit.NANOSECONDS);
  }

  /** What a signal ends. */
  @FunctionalInterface
  interface Work<T> {
    T run() throws IOException, InterruptedException;
  }

  /**
   * Begins to listen, and does something that a signal interrupts, so that it ends in its own way.
   * What comes after it is not interrupted any more, and asks {@link #await}.
   */
  <T> T during(Work<T> work) throws IOException, InterruptedException {
    listen();
    begin();
    try {
      return work.run();
    } finally {
      end();
      // The signal may have come when the work was done; the latch holds it.
      var _ = Thread.interrupted();
    }
  }

  private synchronized void begin() throws InterruptedException {
    if (asked.getCount() == 0) {
      throw new InterruptedException("asked to end before it began");
    }
    worker = Thread.currentThread();
  }

  private synchronized void end() {
    worker = null;
  }

  /** Says that the command has ended. */
  void finish(int code) {
    exitCode = code;
    finished.countDown();
  }

  private synchronized void ask() {
    asked.countDown();
    if (worker != null) {
      worker.interrupt();
    }
  }

  private void stop() {
    if (finished.getCount() == 0) {
      return;
    }
    ask();
    try {
      if (finished.await(GRACE.toNanos(), TimeUnit.NANOSECONDS)) {
        // The JVM's own code for a signal is 128 + its number; but the command did what it should.
        Runtime.getRuntime().halt(exitCode);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}

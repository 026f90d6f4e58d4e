package sluice.command;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

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

  /** Does something that a signal interrupts, so that it ends in its own way. */
  <T> T during(Work<T> work) throws IOException, InterruptedException {
    Thread caller = Thread.currentThread();
    listen();
    Thread watcher =
        Thread.ofVirtual()
            .start(() -> {
              try {
                asked.await();
                caller.interrupt();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            });
    try {
      return work.run();
    } finally {
      watcher.interrupt();
    }
  }

  /** Says that the command has ended. */
  void finish(int code) {
    exitCode = code;
    finished.countDown();
  }

  private void stop() {
    if (finished.getCount() == 0) {
      return;
    }
    asked.countDown();
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

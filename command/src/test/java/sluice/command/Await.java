package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;

/** Waits for what other processes do behind the calls of a test. */
final class Await {

  /** Longer than anything takes on a busy machine; what never comes fails its test. */
  private static final Duration LIMIT = Duration.ofMinutes(2);

  private Await() {}

  /** What may be true only after a while. */
  @FunctionalInterface
  interface Condition {
    boolean holds() throws Exception;
  }

  /** Returns when {@code condition} holds; {@code what} says in a failure what did not come. */
  static void until(String what, Condition condition) throws Exception {
    long deadline = System.nanoTime() + LIMIT.toNanos();
    while (!condition.holds()) {
      assertThat(System.nanoTime()).as("%s within %s", what, LIMIT).isLessThan(deadline);
      Thread.sleep(100);
    }
  }
}

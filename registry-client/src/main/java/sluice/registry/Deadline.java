package sluice.registry;

import java.time.Duration;

/**
 * A moment by which something must be done.
 *
 * @param nanoTime the moment on the clock of {@link System#nanoTime}
 */
record Deadline(long nanoTime) {

  static Deadline after(Duration limit) {
    return new Deadline(System.nanoTime() + limit.toNanos());
  }

  /** Nanoseconds that are left, 0 or more. */
  long remainingNanos() {
    return Math.max(0, nanoTime - System.nanoTime());
  }

  boolean passed() {
    return remainingNanos() == 0;
  }
}

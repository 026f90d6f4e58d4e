package sluice.fuse;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** Lets one through a second, and counts the others. Safe for use by many threads. */
final class RateLimit {

  private static final long INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final AtomicLong next = new AtomicLong(System.nanoTime());
  private final AtomicLong held = new AtomicLong();

  /** How many were held back since the last that went through, or -1 if this one is held back. */
  long pass() {
    long now = System.nanoTime();
    long due = next.get();
    if (now - due < 0 || !next.compareAndSet(due, now + INTERVAL_NANOS)) {
      held.incrementAndGet();
      return -1;
    }
    return held.getAndSet(0);
  }
}

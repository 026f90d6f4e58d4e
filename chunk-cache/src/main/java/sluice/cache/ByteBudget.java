package sluice.cache;

import java.util.concurrent.Semaphore;

/**
 * Bytes that may be held in memory at a time. Whoever wants more than all of them gets all, alone.
 * Safe for use by many threads, which get their turn in order, so that a large wish is not
 * overtaken for ever.
 */
final class ByteBudget {

  /** What is counted in: a semaphore counts in ints. */
  private static final int UNIT_BYTES = 1024;

  private final int units;
  private final Semaphore free;

  ByteBudget(long bytes) {
    this.units = Math.clamp(bytes / UNIT_BYTES, 1, Integer.MAX_VALUE);
    this.free = new Semaphore(units, true);
  }

  /** Some bytes of the budget. Closing it gives them back. For one thread. */
  final class Share implements AutoCloseable {
    private final int held;

    private Share(int held) {
      this.held = held;
    }

    @Override
    public void close() {
      free.release(held);
    }
  }

  /** Waits for {@code bytes}, which may be 0. */
  Share acquire(long bytes) throws InterruptedException {
    int wanted = (int) Math.min(units, Math.ceilDiv(bytes, UNIT_BYTES));
    free.acquire(wanted);
    return new Share(wanted);
  }

  long freeBytes() {
    return (long) free.availablePermits() * UNIT_BYTES;
  }

  /** How many wait, about. */
  int waiting() {
    return free.getQueueLength();
  }
}

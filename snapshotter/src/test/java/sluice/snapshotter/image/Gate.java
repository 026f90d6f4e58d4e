package sluice.snapshotter.image;

import java.io.InterruptedIOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** Where a fake stops until a test lets it go on; open at first. */
final class Gate {

  private final AtomicInteger waiting = new AtomicInteger();
  private volatile CountDownLatch latch = new CountDownLatch(0);

  /** From now on, whoever comes waits until the result is counted down. */
  CountDownLatch close() {
    CountDownLatch closed = new CountDownLatch(1);
    latch = closed;
    return closed;
  }

  void pass() throws InterruptedIOException {
    waiting.incrementAndGet();
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new InterruptedIOException("at a gate");
    } finally {
      waiting.decrementAndGet();
    }
  }

  /** Waits until somebody waits, for 10 s at most. */
  void awaitSomebody() throws InterruptedException {
    for (int i = 0; i < 10_000 && waiting.get() == 0; i++) {
      Thread.sleep(1);
    }
    if (waiting.get() == 0) {
      throw new AssertionError("nobody came to the gate");
    }
  }
}

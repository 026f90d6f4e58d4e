package sluice.benchmarks;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import sluice.core.Digest;
import sluice.core.FetchException;
import sluice.core.Lane;
import sluice.core.RangeSource;
import sluice.core.Repository;

/**
 * Has nothing: what is measured is local, and a benchmark that fetched would measure another. It
 * says so at once, or hangs while it is told to. Safe for many threads.
 */
final class StoppedRegistry implements RangeSource {

  private final AtomicInteger waiting = new AtomicInteger();

  /** Whoever asks waits for its end. */
  private volatile CountDownLatch hanging = new CountDownLatch(0);

  /** Answers nobody from now on. */
  synchronized void hang() {
    fail();
    hanging = new CountDownLatch(1);
  }

  /** Fails all who wait, and from now on whoever asks. */
  synchronized void fail() {
    hanging.countDown();
  }

  /** How many requests wait. */
  int waiting() {
    return waiting.get();
  }

  @Override
  public void read(Digest blob, Set<Repository> holders, long offset, ByteBuffer into, Lane lane)
      throws IOException {
    throw missing(blob);
  }

  @Override
  public InputStream open(Digest blob, Set<Repository> holders, Lane lane) throws IOException {
    throw missing(blob);
  }

  private FetchException missing(Digest blob) throws InterruptedIOException {
    waiting.incrementAndGet();
    try {
      hanging.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("benchmark: blob " + blob);
    } finally {
      waiting.decrementAndGet();
    }
    return new FetchException(
        "benchmark: blob %s is to be all local".formatted(blob),
        FetchException.Reason.NOT_FOUND,
        0,
        null);
  }
}

package sluice.fuse;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How many reads of one image wait for data that is not local: bounded, so that an image whose
 * registry hangs takes neither all memory nor all of the read-aheads that the kernel lets wait.
 * Safe for use by many threads.
 */
public final class WaitingReads {

  /** Half of the read-aheads of a session ({@code max_background}). */
  static final int MAX_READS = 2048;

  /** The kernel holds the page cache pages of each; a read has at most 1 MiB. */
  static final long MAX_BYTES = 1L << 30;

  private final AtomicInteger reads = new AtomicInteger();
  private final AtomicLong bytes = new AtomicLong();

  /** Counts one more, unless it is one too many; who is let in calls {@link #leave}. */
  public boolean enter(int lengthBytes) {
    int allReads = reads.incrementAndGet();
    long allBytes = bytes.addAndGet(lengthBytes);
    if (allReads > MAX_READS || allBytes > MAX_BYTES) {
      leave(lengthBytes);
      return false;
    }
    return true;
  }

  public void leave(int lengthBytes) {
    bytes.addAndGet(-lengthBytes);
    reads.decrementAndGet();
  }

  @Override
  public String toString() {
    return reads.get() + " reads of " + bytes.get() + " bytes";
  }
}

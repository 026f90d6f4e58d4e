package sluice.fuse;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How many reads of one image wait for data that is not local: bounded, so that images whose
 * registry hangs take neither all memory nor all of the read-aheads that the kernel lets wait. An
 * image may have as many waiting as it leaves places to others; so however many hang, there is room
 * for one that does not. Safe for use by many threads.
 */
public final class WaitingReads {

  /**
   * Places of a session. Fewer than the read-aheads that may wait at once ({@code max_background}):
   * the rest is for those whose data is local.
   */
  static final int PLACES = 3584;

  /** The kernel holds the page cache pages of each; a read has at most 1 MiB. */
  static final long MAX_BYTES = 1L << 30;

  private final AtomicInteger reads = new AtomicInteger();
  private final AtomicLong bytes = new AtomicLong();

  /**
   * Counts one more, unless it is one too many; who is let in calls {@link #leave}.
   *
   * @param taken how many reads of all images of the session wait
   */
  public boolean enter(int lengthBytes, int taken) {
    int allReads = reads.incrementAndGet();
    long allBytes = bytes.addAndGet(lengthBytes);
    if (allReads > PLACES - taken || allBytes > MAX_BYTES) {
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

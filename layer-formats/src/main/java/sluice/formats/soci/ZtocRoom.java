package sluice.formats.soci;

import java.util.concurrent.Semaphore;

/**
 * Bounds what all zTOCs that become trees at a time take of the heap: each entry an inode of some
 * 300 bytes and its names, each span a digest, and an image has a hundred layers. Safe for use by
 * many threads.
 */
final class ZtocRoom {

  /** Entries and spans of one share. */
  static final int SHARE = 1 << 15;

  /** One of the largest zTOCs that are read has all of them, and so is alone. */
  static final int SHARES = 64;

  private static final ZtocRoom OF_PROCESS = new ZtocRoom();

  private final Semaphore shares = new Semaphore(SHARES, true);

  static ZtocRoom ofProcess() {
    return OF_PROCESS;
  }

  /**
   * Waits for room for a zTOC, in the order of the calls, and says how much to give back.
   *
   * @param items entries and spans
   */
  int take(long items) throws InterruptedException {
    int taken = (int) Math.min(SHARES, items / SHARE + 1);
    shares.acquire(taken);
    return taken;
  }

  void giveBack(int taken) {
    shares.release(taken);
  }

  /** How many shares nobody has. */
  int free() {
    return shares.availablePermits();
  }
}

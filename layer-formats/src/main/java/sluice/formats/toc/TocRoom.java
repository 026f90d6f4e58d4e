package sluice.formats.toc;

import java.util.concurrent.Semaphore;

/**
 * Bounds what all TOCs that are being indexed at a time take of the heap: an entry of a JSON of 30
 * bytes may become an inode of 300, and an image has a hundred layers. Safe for use by many
 * threads.
 */
final class TocRoom {

  /** JSON in MiB. A TOC that is larger has all of it, and so is alone. */
  private static final int MEBIBYTES = 64;

  private static final TocRoom OF_PROCESS = new TocRoom();

  private final Semaphore mebibytes = new Semaphore(MEBIBYTES, true);

  private TocRoom() {}

  static TocRoom ofProcess() {
    return OF_PROCESS;
  }

  /** Waits for room for a TOC, in the order of the calls, and says how much that is. */
  int take(long tocBytes) throws InterruptedException {
    int share = (int) Math.min(MEBIBYTES, (tocBytes >> 20) + 1);
    mebibytes.acquire(share);
    return share;
  }

  void giveBack(int share) {
    mebibytes.release(share);
  }
}

package sluice.formats.entry;

import java.util.concurrent.Semaphore;

/**
 * Bounds what all trees that are being built at a time take of the heap: a layer's entries may
 * become any number of inodes of 400 bytes, two bytes of a path one of them, and an image has a
 * hundred layers. The trees of a process have one room, of 800 MiB where the daemon has 1 GiB. Safe
 * for use by many threads.
 *
 * <p>What a tree takes is known only as it grows, so that waiting for more while holding much is
 * where it could lock up. Hence two rules:
 *
 * <ul>
 *   <li>A tree that is made from a <em>table</em>, all of which is on this host, has a small share
 *       from the beginning, of which there are a few; to grow over it, it waits until it is the
 *       only one. It waits in the order of the calls, and for the processor alone.
 *   <li>A tree that is made from a <em>stream</em> takes as long as a registry likes, and so never
 *       has others wait: it has a part of the room that tables do not use, and if there is no more
 *       of that it fails.
 * </ul>
 */
public final class TreeRoom {

  private static final long MEBIBYTE = 1 << 20;

  /** Some 20,000 entries, more than most layers have; also of a stream, beside its part. */
  static final long SMALL_BYTES = 8 * MEBIBYTE;

  /** Small trees of tables; a node has fewer processors, and they write files in between. */
  static final int TABLES = 12;

  /** The largest tree of a table: a million files of an ordinary TOC, with their chunks. */
  static final long TABLE_BYTES = 496 * MEBIBYTE;

  /**
   * Streams together, or one of them alone: 500,000 files, as many as the largest images known
   * have. As many streams as there may be at a time ({@code pull.parallel_streams}, 4) have a small
   * tree each besides.
   */
  static final long STREAMS_BYTES = 192 * MEBIBYTE;

  private static final TreeRoom OF_PROCESS = new TreeRoom();

  private final Semaphore tables = new Semaphore(TABLES, true);
  private final Semaphore largeTable = new Semaphore(1, true);
  private final Semaphore streamMebibytes = new Semaphore((int) (STREAMS_BYTES / MEBIBYTE));

  TreeRoom() {}

  public static TreeRoom ofProcess() {
    return OF_PROCESS;
  }

  /**
   * Waits for a share for a tree. While it is held, nothing is to be asked of a registry.
   *
   * @param resource the table and the layer, for messages
   */
  public TreeShare table(String resource) throws InterruptedException {
    tables.acquire();
    return new TableShare(tables, largeTable, resource);
  }

  /**
   * A share for a tree that grows as a registry gives the layer.
   *
   * @param resource the layer, for messages
   */
  public TreeShare stream(String resource) {
    return new StreamShare(streamMebibytes, resource);
  }

  /** Whether nobody has a share that counts. */
  boolean isFree() {
    return tables.availablePermits() == TABLES
        && largeTable.availablePermits() == 1
        && streamMebibytes.availablePermits() == STREAMS_BYTES / MEBIBYTE;
  }

  static int mebibytes(long bytes) {
    return Math.toIntExact((bytes + MEBIBYTE - 1) / MEBIBYTE);
  }
}

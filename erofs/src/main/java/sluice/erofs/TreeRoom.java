package sluice.erofs;

import java.time.Duration;
import java.util.concurrent.Semaphore;

/**
 * Bounds what all trees that are being built at a time take of the heap: a layer's entries may
 * become any number of inodes of 400 bytes, two bytes of a path one of them, and an image has a
 * hundred layers, which are merged. The trees of a process have one room, of 800 MiB where the
 * daemon has 1 GiB. Safe for use by many threads.
 *
 * <p>What a tree takes is known only as it grows, so that waiting for more while holding much is
 * where it could lock up. Hence two rules:
 *
 * <ul>
 *   <li>A tree that is made from a <em>table</em>, all of which is on this host, has a small share
 *       from the beginning, of which there are a few; to grow over it, it waits until it is the
 *       only one. It waits in the order of the calls, and for the processor alone. So does one that
 *       is merged of others.
 *   <li>A tree that is made from a <em>stream</em> takes as long as a registry likes, and so never
 *       has tables wait: streams have a part of the room of their own. There, too, a tree has a
 *       small share and waits to be the only large one, and meanwhile its layer is read no further.
 *       Whoever is that one waits for nobody but its registry, and only streams wait for it; not
 *       for ever, as a registry may dawdle for hours: then the tree that waits fails. Nor do many,
 *       as those that wait keep small layers from streaming.
 * </ul>
 */
public final class TreeRoom {

  static final long MEBIBYTE = 1 << 20;

  /** Some 20,000 entries, more than most layers have. */
  static final long SMALL_BYTES = 8 * MEBIBYTE;

  /** Small trees of tables; a node has fewer processors, and they write files in between. */
  static final int TABLES = 12;

  /** The largest tree of a table: a million files of an ordinary TOC, with their chunks. */
  static final long TABLE_BYTES = 496 * MEBIBYTE;

  /** A small tree of a stream: some 40,000 entries. */
  static final int SMALL_STREAM_MEBIBYTES = 16;

  /**
   * As many small trees of streams as there are at a time ({@code pull.parallel_streams}, 4); if
   * there may be more of them, they share this.
   */
  static final int SMALL_STREAMS_MEBIBYTES = 4 * SMALL_STREAM_MEBIBYTES;

  /**
   * The large tree of a stream, besides its small share: more than 400,000 files in all; the
   * largest images known have 500,000 in all their layers.
   */
  static final long LARGE_STREAM_BYTES = 160 * MEBIBYTE;

  /** Enough for two layers before it of 7 GiB each, from a registry that gives 25 MiB a second. */
  private static final Duration PATIENCE = Duration.ofMinutes(10);

  /** With the large one itself, this leaves one of four streams to small layers. */
  private static final int WAITING_STREAMS = 2;

  private static final TreeRoom OF_PROCESS = new TreeRoom(PATIENCE);

  private final Semaphore tables = new Semaphore(TABLES, true);
  private final Semaphore largeTable = new Semaphore(1, true);
  private final Streams streams;

  /** What the only large tree of a stream does when another one would be it. */
  public enum Turn {
    /** Has it wait. */
    KEEPS,
    /** Fails. */
    YIELDS
  }

  /**
   * What streams share.
   *
   * @param smallMebibytes what all have but for the large one
   * @param large the right to be that
   * @param waiting the right to wait for it
   * @param patience how long to wait
   */
  record Streams(Semaphore smallMebibytes, Semaphore large, Semaphore waiting, Duration patience) {}

  /**
   * @param patience how long a stream waits for others
   */
  TreeRoom(Duration patience) {
    this.streams =
        new Streams(
            new Semaphore(SMALL_STREAMS_MEBIBYTES),
            new Semaphore(1, true),
            new Semaphore(WAITING_STREAMS),
            patience);
  }

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
  public TreeShare stream(Turn turn, String resource) {
    return new StreamShare(streams, turn, resource);
  }

  /** Whether nobody has a share that counts. */
  boolean isFree() {
    return tables.availablePermits() == TABLES
        && largeTable.availablePermits() == 1
        && streams.smallMebibytes.availablePermits() == SMALL_STREAMS_MEBIBYTES
        && streams.large.availablePermits() == 1
        && streams.waiting.availablePermits() == WAITING_STREAMS;
  }

  static int mebibytes(long bytes) {
    return Math.toIntExact((bytes + MEBIBYTE - 1) / MEBIBYTE);
  }
}

package sluice.erofs;

import java.io.InterruptedIOException;
import java.util.concurrent.Semaphore;
import sluice.core.CorruptException;

/** A small share from the beginning, and the only large one if that does not do. */
final class TableShare implements TreeShare {

  private final Semaphore tables;
  private final Semaphore largeTable;
  private final String resource;

  private long bytes;
  private boolean large;

  /**
   * @param tables of which this owns one
   */
  TableShare(Semaphore tables, Semaphore largeTable, String resource) {
    this.tables = tables;
    this.largeTable = largeTable;
    this.resource = resource;
  }

  @Override
  public void grow(long more) throws CorruptException, InterruptedIOException {
    bytes += more;
    if (bytes > TreeRoom.TABLE_BYTES) {
      throw new CorruptException(
          "tree: takes %d bytes of the heap, at most %d".formatted(bytes, TreeRoom.TABLE_BYTES),
          resource,
          -1);
    }
    if (bytes > TreeRoom.SMALL_BYTES && !large) {
      try {
        largeTable.acquire();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new InterruptedIOException("interrupted while waiting for room for " + resource);
      }
      large = true;
    }
  }

  @Override
  public void close() {
    if (large) {
      largeTable.release();
    }
    tables.release();
  }
}

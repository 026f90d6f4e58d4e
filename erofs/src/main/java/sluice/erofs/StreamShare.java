package sluice.erofs;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import sluice.core.UnservedException;

/**
 * A small share from the beginning, and the only large one of a stream if that does not do. A layer
 * that is too large for it is not corrupt: nothing is said of an index that shows the same.
 */
final class StreamShare implements TreeShare {

  private final Semaphore smallMebibytes;
  private final Semaphore largeStream;
  private final Duration patience;
  private final String resource;

  private long bytes;
  private int small;
  private boolean large;

  /**
   * @param smallMebibytes what all streams have but for the large one
   * @param patience how long to wait to be that
   */
  StreamShare(Semaphore smallMebibytes, Semaphore largeStream, Duration patience, String resource) {
    this.smallMebibytes = smallMebibytes;
    this.largeStream = largeStream;
    this.patience = patience;
    this.resource = resource;
  }

  @Override
  public void grow(long more) throws IOException {
    bytes += more;
    long limit = (large ? small : TreeRoom.SMALL_STREAM_MEBIBYTES) * TreeRoom.MEBIBYTE;
    if (bytes > limit + TreeRoom.LARGE_STREAM_BYTES) {
      throw new UnservedException(
          "tree: takes %d bytes of the heap, at most %d of a layer that streams (resource=%s)"
              .formatted(bytes, limit + TreeRoom.LARGE_STREAM_BYTES, resource));
    }
    if (!large && !growSmall()) {
      awaitLarge();
    }
  }

  private boolean growSmall() {
    int needed = TreeRoom.mebibytes(bytes);
    int wanted = Math.min(needed, TreeRoom.SMALL_STREAM_MEBIBYTES) - small;
    if (wanted > 0 && smallMebibytes.tryAcquire(wanted)) {
      small += wanted;
    }
    return small >= needed;
  }

  private void awaitLarge() throws IOException {
    try {
      large = largeStream.tryAcquire(patience.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while waiting for room for " + resource);
    }
    if (!large) {
      throw new UnservedException(
          "tree: takes %d bytes of the heap, and for %d seconds other layers that stream left it no more (resource=%s)"
              .formatted(bytes, patience.toSeconds(), resource));
    }
  }

  @Override
  public void close() {
    smallMebibytes.release(small);
    if (large) {
      largeStream.release();
    }
  }
}

package sluice.erofs;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.concurrent.TimeUnit;
import sluice.core.UnservedException;

/**
 * A small share from the beginning, and the only large one of a stream if that does not do. A layer
 * that is too large for it is not corrupt: nothing is said of an index that shows the same.
 */
final class StreamShare implements TreeShare {

  private final TreeRoom.Streams streams;
  private final TreeRoom.Turn turn;
  private final String resource;

  private long bytes;
  private int small;
  private boolean large;

  StreamShare(TreeRoom.Streams streams, TreeRoom.Turn turn, String resource) {
    this.streams = streams;
    this.turn = turn;
    this.resource = resource;
  }

  @Override
  public void grow(long more) throws IOException {
    bytes += more;
    requireRoom();
    if (large && turn == TreeRoom.Turn.YIELDS && streams.large().hasQueuedThreads()) {
      throw others("would now have the room that it has");
    }
    if (!large && !growSmall()) {
      awaitLarge();
      requireRoom();
    }
  }

  private void requireRoom() throws UnservedException {
    int beside = large ? small : TreeRoom.SMALL_STREAM_MEBIBYTES;
    long limit = beside * TreeRoom.MEBIBYTE + TreeRoom.LARGE_STREAM_BYTES;
    if (bytes > limit) {
      throw new UnservedException(
          "tree: takes %d bytes of the heap, at most %d of a layer that streams (resource=%s)"
              .formatted(bytes, limit, resource));
    }
  }

  private boolean growSmall() {
    int needed = TreeRoom.mebibytes(bytes);
    int wanted = Math.min(needed, TreeRoom.SMALL_STREAM_MEBIBYTES) - small;
    if (wanted > 0 && streams.smallMebibytes().tryAcquire(wanted)) {
      small += wanted;
    }
    return small >= needed;
  }

  private void awaitLarge() throws IOException {
    if (streams.large().tryAcquire()) {
      large = true;
      return;
    }
    if (!streams.waiting().tryAcquire()) {
      throw others("wait for more already");
    }
    try {
      large = streams.large().tryAcquire(streams.patience().toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while waiting for room for " + resource);
    } finally {
      streams.waiting().release();
    }
    if (!large) {
      throw others("left it no more for %d seconds".formatted(streams.patience().toSeconds()));
    }
  }

  private UnservedException others(String what) {
    return new UnservedException(
        "tree: takes %d bytes of the heap, and other layers that stream %s (resource=%s)"
            .formatted(bytes, what, resource));
  }

  @Override
  public void close() {
    streams.smallMebibytes().release(small);
    if (large) {
      streams.large().release();
    }
  }
}

package sluice.formats.entry;

import java.io.IOException;
import java.util.concurrent.Semaphore;
import sluice.core.UnservedException;

/**
 * A small share that is not counted, and what it needs of the part that all streams have. A layer
 * that is too large for it is not corrupt: nothing is said of an index that shows the same.
 */
final class StreamShare implements TreeShare {

  private final Semaphore streamMebibytes;
  private final String resource;

  private long bytes;
  private int taken;

  StreamShare(Semaphore streamMebibytes, String resource) {
    this.streamMebibytes = streamMebibytes;
    this.resource = resource;
  }

  @Override
  public void grow(long more) throws IOException {
    bytes += more;
    if (bytes > TreeRoom.STREAMS_BYTES) {
      throw new UnservedException(
          "tree: takes %d bytes of the heap, at most %d of a layer that streams (resource=%s)"
              .formatted(bytes, TreeRoom.STREAMS_BYTES, resource));
    }
    int wanted = TreeRoom.mebibytes(Math.max(0, bytes - TreeRoom.SMALL_BYTES)) - taken;
    if (wanted > 0 && !streamMebibytes.tryAcquire(wanted)) {
      throw new UnservedException(
          "tree: takes %d bytes of the heap, and other layers that stream now leave none of %d (resource=%s)"
              .formatted(bytes, TreeRoom.STREAMS_BYTES, resource));
    }
    taken += Math.max(0, wanted);
  }

  @Override
  public void close() {
    streamMebibytes.release(taken);
  }
}

package sluice.formats.soci;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Bounds what the entries of all layers take, in memory and most of it outside of the heap, that
 * are recorded and not written yet: a layer that is verified may have to wait for its zTOC while
 * others stream. Safe for use by many threads.
 */
final class EntriesRoom {

  private final long maxBytes;
  private final AtomicLong taken = new AtomicLong();

  /**
   * @param maxBytes what all layers may take together
   */
  EntriesRoom(long maxBytes) {
    this.maxBytes = maxBytes;
  }

  /**
   * Takes more for a layer.
   *
   * @param held what the layer has already
   * @throws UnseekableException if no layer may have that much
   * @throws IOException if others leave it too little; then nothing is taken
   */
  void take(long held, long more) throws IOException {
    if (held + more > maxBytes) {
      throw new UnseekableException(
          "its entries take %d bytes of memory, at most %d".formatted(held + more, maxBytes));
    }
    long all = taken.addAndGet(more);
    if (all > maxBytes) {
      taken.addAndGet(-more);
      throw new IOException(
          "entries of layers that wait for their indexes take %d bytes of memory, at most %d"
              .formatted(all, maxBytes));
    }
  }

  void give(long bytes) {
    taken.addAndGet(-bytes);
  }

  boolean isHalfTaken() {
    return taken.get() >= maxBytes / 2;
  }

  long takenBytes() {
    return taken.get();
  }
}

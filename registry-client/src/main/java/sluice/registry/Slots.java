package sluice.registry;

import java.net.SocketTimeoutException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import sluice.core.Lane;

/**
 * Bounds the requests that are under way at one host, for each lane, so that a host that hangs
 * takes neither all connections nor all memory. A slot is no lock: nothing but more requests to the
 * same host waits for it.
 */
final class Slots {

  /**
   * Streams last as long as a layer, and who opens them bounds them; this only keeps a leak from
   * taking everything.
   */
  private static final int STREAMS_PER_ANSWER = 16;

  /** What a slot is for: an answer that is read at once, or a stream that a caller reads. */
  enum Use {
    ANSWER,
    STREAM
  }

  private record Key(String host, Lane lane, Use use) {}

  /** Slots of a key, and how many hold or await one; the map drops it at none. */
  private record Bound(Semaphore free, int users) {}

  private final ConcurrentHashMap<Key, Bound> bounds = new ConcurrentHashMap<>();
  private final int perHost;

  Slots(int perHost) {
    this.perHost = perHost;
  }

  /** A slot, to be released once. */
  interface Slot {
    void release();
  }

  /**
   * Waits for a slot.
   *
   * @throws SocketTimeoutException if none is free before the deadline
   */
  Slot acquire(String host, Lane lane, Use use, Deadline deadline)
      throws SocketTimeoutException, InterruptedException {
    Key key = new Key(host, lane, use);
    Semaphore free = enter(key);
    boolean acquired = false;
    try {
      acquired = free.tryAcquire(deadline.remainingNanos(), TimeUnit.NANOSECONDS);
    } finally {
      if (!acquired) {
        leave(key);
      }
    }
    if (!acquired) {
      throw new SocketTimeoutException(
          limit(use) + " requests to " + host + " are under way, and none ended in time");
    }
    return () -> {
      free.release();
      leave(key);
    };
  }

  private Semaphore enter(Key key) {
    Bound entered =
        bounds.compute(
            key,
            (k, bound) ->
                bound == null
                    ? new Bound(new Semaphore(limit(key.use), true), 1)
                    : new Bound(bound.free, bound.users + 1));
    return entered.free;
  }

  private int limit(Use use) {
    return switch (use) {
      case ANSWER -> perHost;
      case STREAM -> perHost * STREAMS_PER_ANSWER;
    };
  }

  private void leave(Key key) {
    bounds.computeIfPresent(
        key, (k, bound) -> bound.users == 1 ? null : new Bound(bound.free, bound.users - 1));
  }
}

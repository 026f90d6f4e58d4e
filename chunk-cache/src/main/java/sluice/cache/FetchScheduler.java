package sluice.cache;

import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import sluice.cache.CacheSettings.LaneLimits;
import sluice.core.Lane;

/**
 * Says when a request may be sent. Each lane of each registry has its own limits, so that demand
 * never waits behind fill, and a registry that hangs stops no other. Safe for use by many threads;
 * waiting ones get their turn in order, so that a large request is not overtaken for ever.
 */
final class FetchScheduler {

  /** What permits of bytes are counted in: a semaphore counts in ints. */
  private static final int UNIT_BYTES = 1024;

  private final Map<Lane, LaneLimits> limits;
  private final ConcurrentHashMap<String, Lanes> gates = new ConcurrentHashMap<>();

  FetchScheduler(Map<Lane, LaneLimits> limits) {
    this.limits = limits;
  }

  private record Gate(Semaphore requests, Semaphore bytes, int unitLimit) {
    static Gate of(LaneLimits limits) {
      int units = (int) Math.min(Integer.MAX_VALUE, Math.max(1, limits.bytes() / UNIT_BYTES));
      return new Gate(new Semaphore(limits.requests(), true), new Semaphore(units, true), units);
    }
  }

  /** Leave to send one request and to hold its bytes. For one thread. */
  static final class Permit implements AutoCloseable {
    private final Gate gate;
    private final int units;
    private boolean requesting = true;

    private Permit(Gate gate, int units) {
      this.gate = gate;
      this.units = units;
    }

    /** The request is answered; its bytes are still held. */
    void requestDone() {
      if (requesting) {
        requesting = false;
        gate.requests.release();
      }
    }

    /** The bytes are no longer held. */
    @Override
    public void close() {
      requestDone();
      gate.bytes.release(units);
    }
  }

  /** What one request may hold: more is let go only if it is a single chunk, and goes alone. */
  long maxBytes(Lane lane) {
    return limitsOf(lane).bytes();
  }

  private LaneLimits limitsOf(Lane lane) {
    return Objects.requireNonNull(limits.get(lane));
  }

  /**
   * Waits for leave.
   *
   * @param hosts the registries that may answer
   * @param bytes what the request will hold in memory; 0 if its bytes are held already
   */
  Permit acquire(String hosts, Lane lane, long bytes) throws InterruptedException {
    Gate gate = gates.computeIfAbsent(hosts, key -> new Lanes(limits)).of(lane);
    int units = (int) Math.min(gate.unitLimit, (bytes + UNIT_BYTES - 1) / UNIT_BYTES);
    // Bytes first: whoever has leave to send waits for nothing but the registry, so that a second
    // request by one who holds bytes always gets its turn.
    gate.bytes.acquire(units);
    try {
      gate.requests.acquire();
    } catch (InterruptedException e) {
      gate.bytes.release(units);
      throw e;
    }
    return new Permit(gate, units);
  }

  /** The gates of one set of registries. */
  private record Lanes(Gate demand, Gate startup, Gate fill) {
    Lanes(Map<Lane, LaneLimits> limits) {
      this(gate(limits, Lane.DEMAND), gate(limits, Lane.STARTUP), gate(limits, Lane.FILL));
    }

    private static Gate gate(Map<Lane, LaneLimits> limits, Lane lane) {
      return Gate.of(Objects.requireNonNull(limits.get(lane)));
    }

    Gate of(Lane lane) {
      return switch (lane) {
        case DEMAND -> demand;
        case STARTUP -> startup;
        case FILL -> fill;
      };
    }
  }
}

package sluice.cache;

import java.util.Comparator;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import sluice.cache.CacheSettings.LaneLimits;
import sluice.core.Lane;

/**
 * Says when a request may be sent. Each lane has its own limits, so that demand never waits behind
 * fill: one of bytes for the whole node, and limits for each registry, so that one that hangs stops
 * no other. Safe for use by many threads.
 *
 * <p>Where several registries may answer, the request counts at the one that has least to do. Which
 * of them is asked lies behind {@link sluice.core.RangeSource}, which also bounds the requests that
 * a registry really gets.
 */
final class FetchScheduler {
  private final Map<Lane, LaneLimits> limits;
  private final Map<Lane, ByteBudget> node = new EnumMap<>(Lane.class);
  private final ConcurrentHashMap<Key, Gate> gates = new ConcurrentHashMap<>();

  FetchScheduler(Map<Lane, LaneLimits> limits) {
    this.limits = limits;
    limits.forEach((lane, its) -> node.put(lane, new ByteBudget(its.nodeBytes())));
  }

  private record Key(String host, Lane lane) {}

  /** What is under way at one registry in one lane. */
  private record Gate(Semaphore requests, ByteBudget bytes) {
    static Gate of(LaneLimits limits) {
      return new Gate(
          new Semaphore(limits.requests(), true), new ByteBudget(limits.registryBytes()));
    }

    /** How many wait for leave. */
    int waiting() {
      return bytes.waiting() + requests.getQueueLength();
    }
  }

  /** Leave to send one request and to hold its bytes. For one thread. */
  static final class Permit implements AutoCloseable {
    private final Semaphore requests;
    private final ByteBudget.Share atRegistry;
    private final ByteBudget.Share onNode;
    private boolean requesting = true;

    private Permit(Semaphore requests, ByteBudget.Share atRegistry, ByteBudget.Share onNode) {
      this.requests = requests;
      this.atRegistry = atRegistry;
      this.onNode = onNode;
    }

    /** The request is answered; its bytes are still held. */
    void requestDone() {
      if (requesting) {
        requesting = false;
        requests.release();
      }
    }

    /** The bytes are no longer held. */
    @Override
    public void close() {
      requestDone();
      onNode.close();
      atRegistry.close();
    }
  }

  /** What one request may hold: more is let go only if it is a single chunk, and goes alone. */
  long maxBytes(Lane lane) {
    LaneLimits its = limitsOf(lane);
    return Math.min(its.registryBytes(), its.nodeBytes());
  }

  /**
   * Waits for leave.
   *
   * @param hosts the registries that may answer
   * @param bytes what the request will hold in memory, encoded and decoded; 0 if its bytes are held
   *     already
   */
  Permit acquire(Set<String> hosts, Lane lane, long bytes) throws InterruptedException {
    Gate gate = freest(hosts, lane);
    // The node's bytes after the registry's, so that a registry that hangs takes no more of them
    // than its own. Requests last: whoever has leave to send waits for nothing but the registry, so
    // that a second request by one who holds bytes always gets its turn.
    ByteBudget.Share atRegistry = gate.bytes.acquire(bytes);
    try {
      ByteBudget.Share onNode = Objects.requireNonNull(node.get(lane)).acquire(bytes);
      try {
        gate.requests.acquire();
        return new Permit(gate.requests, atRegistry, onNode);
      } catch (InterruptedException e) {
        onNode.close();
        throw e;
      }
    } catch (InterruptedException e) {
      atRegistry.close();
      throw e;
    }
  }

  private Gate freest(Set<String> hosts, Lane lane) {
    return hosts.stream()
        .map(host -> gates.computeIfAbsent(new Key(host, lane), key -> Gate.of(limitsOf(lane))))
        .min(
            Comparator.comparingInt(Gate::waiting)
                .thenComparing(gate -> gate.bytes.freeBytes(), Comparator.reverseOrder()))
        .orElseThrow();
  }

  private LaneLimits limitsOf(Lane lane) {
    return Objects.requireNonNull(limits.get(lane));
  }
}

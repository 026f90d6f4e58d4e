package sluice.cache;

import java.io.IOException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import sluice.core.Lane;

/**
 * One chunk on its way into the cache. All who want it wait for the same flight. Its fields are
 * guarded by the lock of {@link Flights}.
 */
final class Flight {
  private final CacheDevice device;
  private final int chunk;
  private final Set<String> hosts;
  private final CompletableFuture<Void> landed = new CompletableFuture<>();

  /** How many callers of {@code ensure} wait for it; 0 if it only goes along with others. */
  int waiters;

  /** How many flights wait to copy what this one brings. */
  int followers;

  /** Whether it is no longer among those on their way. */
  boolean ended;

  /** The most urgent of those who wait. */
  volatile Lane lane;

  /** The request that will bring it, once it waits for leave to be sent. */
  @Nullable Fetch fetch;

  /** A flight of equal bytes that was first; this one copies them when they are there. */
  @Nullable Flight leader;

  Flight(CacheDevice device, int chunk, Set<String> hosts, Lane lane) {
    this.device = device;
    this.chunk = chunk;
    this.hosts = hosts;
    this.lane = lane;
  }

  CacheDevice device() {
    return device;
  }

  int chunk() {
    return chunk;
  }

  /** The registries that could serve the device when it began. */
  Set<String> hosts() {
    return hosts;
  }

  ChunkTable table() {
    return device.table();
  }

  /** Wakes all who wait. Only {@link Flights#land} calls this, when others can no longer join. */
  void land(@Nullable Throwable failure) {
    if (failure == null) {
      landed.complete(null);
    } else {
      landed.completeExceptionally(failure);
    }
  }

  boolean hasLanded() {
    return landed.isDone();
  }

  /**
   * Waits for the chunk.
   *
   * @throws IOException why it failed; the same object for all who wait
   */
  void await() throws IOException, InterruptedException {
    try {
      landed.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof IOException io) {
        throw io;
      }
      throw new IOException("cache: fetch of %s failed: %s".formatted(this, e.getCause()), e);
    }
  }

  /** Waits until it has landed, well or not; returns whether it has in that time. */
  boolean awaitEnd(Duration limit) throws InterruptedException {
    try {
      landed.get(limit.toNanos(), TimeUnit.NANOSECONDS);
      return true;
    } catch (ExecutionException e) {
      // Whoever asked for that flight is told; here only its end counts.
      return true;
    } catch (TimeoutException e) {
      return false;
    }
  }

  @Override
  public String toString() {
    return "chunk %d %s of %s".formatted(chunk, table().encoded(chunk), device);
  }
}

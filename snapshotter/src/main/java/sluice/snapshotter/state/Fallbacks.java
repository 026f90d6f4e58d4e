package sluice.snapshotter.state;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Remembers which layers were unpacked the ordinary way since the daemon started, and why. Safe for
 * use by many threads.
 */
public final class Fallbacks {

  /** How many are kept whole: enough for the layers of a few images; the counts have all. */
  private static final int KEPT = 256;

  private final Deque<Entry> latest = new ArrayDeque<>();
  private final Map<FallbackKind, Long> counts = new EnumMap<>(FallbackKind.class);

  /**
   * One layer that could not be lazy.
   *
   * @param chainId as the request said it
   * @param image as the request said it, or null
   * @param triedFor how long the request waited before
   */
  public record Entry(
      Instant at,
      String chainId,
      @Nullable String image,
      FallbackKind kind,
      String reason,
      Duration triedFor) {}

  synchronized void add(Entry entry) {
    latest.addFirst(entry);
    if (latest.size() > KEPT) {
      latest.removeLast();
    }
    counts.merge(entry.kind(), 1L, Long::sum);
  }

  /** The latest ones, newest first. */
  public synchronized List<Entry> latest() {
    return List.copyOf(latest);
  }

  /** How many of each kind there were; kinds that did not occur are missing. */
  public synchronized Map<FallbackKind, Long> counts() {
    return Map.copyOf(counts);
  }
}

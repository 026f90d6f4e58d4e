package sluice.formats.soci;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What was found out lately: a few answers, for a while, so that the layers of one image need not
 * ask for the same. Safe for use by many threads.
 */
final class Recent<K, V> {

  /** Images whose layers are prepared at the same time. */
  private static final int MAX_KEPT = 64;

  /** Longer than the layers of an image take to be recognised; a new referrer is seen soon. */
  private static final Duration KEPT = Duration.ofMinutes(1);

  private record Kept<V>(V value, Instant until) {}

  private final InstantSource clock;

  /** Guarded by itself. */
  private final Map<K, Kept<V>> kept =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<K, Kept<V>> eldest) {
          return size() > MAX_KEPT;
        }
      };

  Recent(InstantSource clock) {
    this.clock = clock;
  }

  Optional<V> find(K key) {
    synchronized (kept) {
      Kept<V> found = kept.get(key);
      return found == null || found.until.isBefore(clock.instant())
          ? Optional.empty()
          : Optional.of(found.value);
    }
  }

  void keep(K key, V value) {
    synchronized (kept) {
      kept.put(key, new Kept<>(value, clock.instant().plus(KEPT)));
    }
  }
}

package sluice.snapshotter.check;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import sluice.snapshotter.image.KeptLayer;
import sluice.snapshotter.image.LayerKey;

/**
 * The layers that could not be compared, and when that is tried again: after a minute first, then
 * after twice as long each time, and in the end not before the process starts again. One thread
 * writes, any may read.
 */
final class Retries {

  private static final Duration FIRST_DELAY = Duration.ofMinutes(1);
  private static final Duration LAST_DELAY = Duration.ofHours(6);

  /** A GiB at a MB/s, and as long as that again for what is done with it. */
  private static final Duration FIRST_LIMIT = Duration.ofMinutes(30);

  /** Four days: longer than registries are away, and still an end for one that means it. */
  private static final int MAX_TRIES = 24;

  private final InstantSource clock;
  private final ConcurrentHashMap<LayerKey, UndecidedLayer> undecided = new ConcurrentHashMap<>();

  Retries(InstantSource clock) {
    this.clock = clock;
  }

  /** Whether the layer may be compared now. */
  boolean allows(LayerKey key) {
    UndecidedLayer last = undecided.get(key);
    if (last == null) {
      return true;
    }
    Instant next = last.nextTry();
    Instant now = clock.instant();
    // A clock that was set back would put it off for as long.
    return next != null && (!now.isBefore(next) || now.plus(LAST_DELAY).isBefore(next));
  }

  /**
   * How long comparing the layer may take this time. Others wait meanwhile, so a registry that
   * gives it a byte at a time is left; a link that is only slow has more time with each try.
   */
  Duration limit(LayerKey key) {
    UndecidedLayer last = undecided.get(key);
    return doubled(FIRST_LIMIT, last == null ? 0 : last.tries());
  }

  /** Notes that the layer could not be compared. */
  UndecidedLayer failed(KeptLayer layer, String reason) {
    UndecidedLayer last = undecided.get(layer.key());
    int tries = last == null ? 1 : last.tries() + 1;
    Instant next = tries < MAX_TRIES ? clock.instant().plus(delay(tries)) : null;
    UndecidedLayer now = new UndecidedLayer(layer.key(), reason, tries, next);
    undecided.put(layer.key(), now);
    return now;
  }

  /** Notes that the layer was compared. */
  void decided(LayerKey key) {
    undecided.remove(key);
  }

  /** Forgets all layers but these. */
  void retain(Collection<LayerKey> keys) {
    undecided.keySet().retainAll(keys);
  }

  /** Those that could not be compared so far. */
  List<UndecidedLayer> all() {
    return List.copyOf(undecided.values());
  }

  private static Duration delay(int tries) {
    return doubled(FIRST_DELAY, tries - 1);
  }

  private static Duration doubled(Duration first, int times) {
    Duration longer = first;
    for (int i = 0; i < times && longer.compareTo(LAST_DELAY) < 0; i++) {
      longer = longer.multipliedBy(2);
    }
    return longer.compareTo(LAST_DELAY) < 0 ? longer : LAST_DELAY;
  }
}

package sluice.snapshotter.image;

import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import sluice.snapshotter.state.LazyLayers.Pin;

/**
 * What the next sweep must leave alone although no snapshot needs it yet: layers (by the digest of
 * their blob), merged images (by their key), and whole-image trees (by chain ID).
 *
 * <p>One sweep runs at a time. From its beginning on, everything that is pinned is remembered, so a
 * pin that was opened and closed while the sweep asked what is needed protects as well.
 */
final class Pins {

  /**
   * How long what was made ahead waits for the Prepare that takes it. A pull of an image of
   * hundreds of layers takes less; one that was given up leaves nothing behind for longer.
   */
  private static final Duration AHEAD = Duration.ofMinutes(10);

  private final ReentrantLock lock = new ReentrantLock();
  private final Map<Object, Integer> counts = new HashMap<>();
  private final Map<Object, Instant> ahead = new HashMap<>();
  private final Clock clock;
  private @Nullable Set<Object> touched;

  Pins(Clock clock) {
    this.clock = clock;
  }

  /** What a sweep deletes, on local disk. */
  @FunctionalInterface
  interface Deletion {
    void run() throws IOException;
  }

  /** Protects {@code things} until the pin is closed. Waits for a deletion that is under way. */
  Pin pin(Collection<?> things) {
    List<Object> pinned = List.copyOf(things);
    lock.lock();
    try {
      for (Object thing : pinned) {
        counts.merge(thing, 1, Integer::sum);
        ahead.remove(thing);
        touch(thing);
      }
    } finally {
      lock.unlock();
    }
    AtomicBoolean open = new AtomicBoolean(true);
    return () -> {
      if (open.getAndSet(false)) {
        unpin(pinned);
      }
    };
  }

  /** Protects what is made before anybody asked for it, until it is pinned, or for a while. */
  void holdAhead(Object thing) {
    lock.lock();
    try {
      if (!counts.containsKey(thing)) {
        ahead.put(thing, clock.instant().plus(AHEAD));
        touch(thing);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Begins a sweep: from now on what is pinned stays. */
  void beginSweep() {
    lock.lock();
    try {
      touched = new HashSet<>();
    } finally {
      lock.unlock();
    }
  }

  /** Ends the sweep. */
  void endSweep() {
    lock.lock();
    try {
      touched = null;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Deletes {@code thing} unless it is pinned or was since the sweep began. Whoever pins it waits
   * meanwhile, so finds it whole or gone.
   *
   * @return whether it was deleted
   */
  boolean deleteUnpinned(Object thing, Deletion deletion) throws IOException {
    lock.lock();
    try {
      Instant held = ahead.get(thing);
      if (held != null && held.isBefore(clock.instant())) {
        ahead.remove(thing);
        held = null;
      }
      if (held != null
          || counts.containsKey(thing)
          || (touched != null && touched.contains(thing))) {
        return false;
      }
      deletion.run();
      return true;
    } finally {
      lock.unlock();
    }
  }

  private void touch(Object thing) {
    if (touched != null) {
      touched.add(thing);
    }
  }

  private void unpin(List<Object> things) {
    lock.lock();
    try {
      for (Object thing : things) {
        counts.computeIfPresent(thing, (key, count) -> count > 1 ? count - 1 : null);
      }
    } finally {
      lock.unlock();
    }
  }
}

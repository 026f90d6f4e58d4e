package sluice.snapshotter.image;

import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import sluice.snapshotter.state.LazyLayers.Pin;

/**
 * What the next sweep must leave alone although no snapshot needs it yet: layers (by the digest of
 * their blob) and merged images (by their key).
 *
 * <p>The lock guards the tables and is never held while something is deleted: that may wait for the
 * kernel, and every Prepare pins something.
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
  private final Condition deleted = lock.newCondition();
  private final Set<Object> deleting = new HashSet<>();
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

  /** A pin that may be given up before what it protects is made. */
  final class Held implements Pin {
    private final List<Object> things;
    private final AtomicBoolean open = new AtomicBoolean(true);

    private Held(List<Object> things) {
      this.things = things;
    }

    @Override
    public void close() {
      if (open.getAndSet(false)) {
        unpin(things, false);
      }
    }

    /** Closes it, and protects the things for a while, for a later caller. */
    void leaveAhead() {
      if (open.getAndSet(false)) {
        unpin(things, true);
      }
    }
  }

  /**
   * Protects {@code things} until the pin is closed. If one of them is being deleted, waits for
   * that; it is gone then.
   */
  Held pin(Collection<?> things) throws InterruptedException {
    List<Object> pinned = List.copyOf(things);
    lock.lockInterruptibly();
    try {
      awaitDeletion(pinned);
      for (Object thing : pinned) {
        counts.merge(thing, 1, Integer::sum);
        ahead.remove(thing);
        touch(thing);
      }
    } finally {
      lock.unlock();
    }
    return new Held(pinned);
  }

  /**
   * Protects what is made before anybody asked for it, until it is pinned, or for a while. If it is
   * being deleted, waits for that.
   */
  void holdAhead(Object thing) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      awaitDeletion(List.of(thing));
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
   * meanwhile, so finds it whole or gone; nobody else does.
   *
   * @return whether it was deleted
   */
  boolean deleteUnpinned(Object thing, Deletion deletion) throws IOException {
    if (!tryBeginDeleting(thing)) {
      return false;
    }
    try {
      deletion.run();
      return true;
    } finally {
      endDeleting(thing);
    }
  }

  private boolean tryBeginDeleting(Object thing) {
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
      return deleting.add(thing);
    } finally {
      lock.unlock();
    }
  }

  private void endDeleting(Object thing) {
    lock.lock();
    try {
      deleting.remove(thing);
      deleted.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void awaitDeletion(List<Object> things) throws InterruptedException {
    while (!Collections.disjoint(things, deleting)) {
      deleted.await();
    }
  }

  private void touch(Object thing) {
    if (touched != null) {
      touched.add(thing);
    }
  }

  private void unpin(List<Object> things, boolean leaveAhead) {
    lock.lock();
    try {
      for (Object thing : things) {
        counts.computeIfPresent(thing, (key, count) -> count > 1 ? count - 1 : null);
        if (leaveAhead && !counts.containsKey(thing)) {
          ahead.put(thing, clock.instant().plus(AHEAD));
        }
      }
    } finally {
      lock.unlock();
    }
  }
}

package sluice.command.index;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import sluice.core.Digest;
import sluice.core.Repository;

/**
 * The images whose indexes are to be pushed, and when each is tried. For many threads that offer
 * images, and one that takes them.
 */
final class PublishQueue {

  /** More images than this are not pulled while one index is pushed. */
  private static final int MAX_WAITING = 256;

  /** Images and repositories that are remembered; forgetting one costs some requests. */
  private static final int MAX_REMEMBERED = 4096;

  /** How often an image is tried. With the pauses between, an hour and a half of trouble. */
  static final int MAX_TRIES = 5;

  /** The first pause; each is four times as long as the one before. */
  static final Duration PAUSE = Duration.ofMinutes(1);

  private static final int LONGER = 4;

  record Image(Repository repository, Digest manifest) {}

  private final InstantSource clock;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Map<Image, Instant> waiting = new HashMap<>();
  private final Map<Image, Integer> failures = remembered();
  private final Set<Image> done = Collections.newSetFromMap(remembered());
  private final Set<Repository> refused = Collections.newSetFromMap(remembered());
  private boolean busy;

  PublishQueue(InstantSource clock) {
    this.clock = clock;
  }

  /** Has an image tried, unless that is done or waits already; whether it waits now. */
  boolean offer(Image image) {
    lock.lock();
    try {
      changed.signalAll();
      if (!waiting.containsKey(image) && isWorth(image) && waiting.size() < MAX_WAITING) {
        waiting.put(image, clock.instant());
      }
      return waiting.containsKey(image);
    } finally {
      lock.unlock();
    }
  }

  /** Waits for the next image that is due; the caller says what became of it. */
  Image take() throws InterruptedException {
    lock.lockInterruptibly();
    try {
      busy = false;
      changed.signalAll();
      while (true) {
        Optional<Map.Entry<Image, Instant>> first =
            waiting.entrySet().stream().min(Map.Entry.comparingByValue());
        if (first.isEmpty()) {
          changed.await();
          continue;
        }
        Duration left = Duration.between(clock.instant(), first.get().getValue());
        if (left.isPositive()) {
          var _ = changed.await(left.toNanos(), TimeUnit.NANOSECONDS);
          continue;
        }
        Image image = first.get().getKey();
        waiting.remove(image);
        if (isWorth(image)) {
          busy = true;
          return image;
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /** How often that image was tried in vain. */
  int failures(Image image) {
    lock.lock();
    try {
      return failures.getOrDefault(image, 0);
    } finally {
      lock.unlock();
    }
  }

  /** That image needs no more. */
  void done(Image image) {
    lock.lock();
    try {
      done.add(image);
    } finally {
      lock.unlock();
    }
  }

  /** Nothing more is tried in that repository. */
  void refused(Repository repository) {
    lock.lock();
    try {
      refused.add(repository);
    } finally {
      lock.unlock();
    }
  }

  /** Has an image tried again after a pause; the pause, or empty if that was the last time. */
  Optional<Duration> later(Image image) {
    lock.lock();
    try {
      int failed = failures.merge(image, 1, Integer::sum);
      if (failed >= MAX_TRIES) {
        done.add(image);
        return Optional.empty();
      }
      Duration pause = PAUSE.multipliedBy((long) Math.pow(LONGER, failed - 1));
      waiting.put(image, clock.instant().plus(pause));
      return Optional.of(pause);
    } finally {
      lock.unlock();
    }
  }

  /** Waits until no image is due, and none is being tried; whether that came in time. */
  boolean awaitIdle(Duration atMost) throws InterruptedException {
    long left = atMost.toNanos();
    lock.lockInterruptibly();
    try {
      while (busy || waiting.values().stream().anyMatch(at -> !at.isAfter(clock.instant()))) {
        if (left <= 0) {
          return false;
        }
        left = changed.awaitNanos(left);
      }
      return true;
    } finally {
      lock.unlock();
    }
  }

  private boolean isWorth(Image image) {
    return !done.contains(image) && !refused.contains(image.repository);
  }

  private static <K, V> Map<K, V> remembered() {
    return new LinkedHashMap<>() {
      private static final long serialVersionUID = 1L;

      @Override
      protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
        return size() > MAX_REMEMBERED;
      }
    };
  }
}

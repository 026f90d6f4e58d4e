package sluice.cache;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** Remembers what happened in a cache. */
final class RecordingListener implements CacheListener {
  final AtomicLong stored = new AtomicLong();
  final AtomicLong copied = new AtomicLong();
  final AtomicInteger synced = new AtomicInteger();
  final List<Failure> failures = new CopyOnWriteArrayList<>();

  @Override
  public void stored(long bytes) {
    stored.addAndGet(bytes);
  }

  @Override
  public void copied(long bytes) {
    copied.addAndGet(bytes);
  }

  @Override
  public void synced(Duration duration) {
    synced.incrementAndGet();
  }

  @Override
  public void failed(Failure failure) {
    failures.add(failure);
  }
}

package sluice.cache;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the disk catch up with what readers have been told, in batches: data first, then the
 * durable map. Safe for use by many threads.
 */
final class Durability {
  private static final Logger log = LoggerFactory.getLogger(Durability.class);

  private final OpenFiles files;
  private final ScheduledExecutorService timer;
  private final ExecutorService disk;
  private final CacheSettings settings;
  private final CacheListener listener;
  private final Failpoints failpoints;

  /** Guards {@link #batches}; held for look-ups only. */
  private final ReentrantLock lock = new ReentrantLock();

  private final Map<CacheDevice, Batch> batches = new HashMap<>();

  Durability(
      OpenFiles files,
      CacheThreads threads,
      CacheSettings settings,
      CacheListener listener,
      Failpoints failpoints) {
    this.files = files;
    this.timer = threads.timer();
    this.disk = threads.disk();
    this.settings = settings;
    this.listener = listener;
    this.failpoints = failpoints;
  }

  /**
   * What was written to a device since its last sync. Its files stay open meanwhile: the kernel
   * tells of a failed write-back only those who had the file open.
   */
  private static final class Batch {
    final CacheDevice device;
    final OpenFiles.Handle handle;
    long bytes;
    boolean due;

    Batch(CacheDevice device, OpenFiles.Handle handle) {
      this.device = device;
      this.handle = handle;
    }
  }

  /** Bytes were written and marked. The caller holds the device's files open. */
  void written(CacheDevice device, long bytes) throws IOException {
    lock.lock();
    try {
      Batch batch = batches.get(device);
      if (batch == null) {
        batch = new Batch(device, files.acquire(device.directory()));
        batches.put(device, batch);
        later(batch);
      }
      batch.bytes += bytes;
      if (batch.bytes >= settings.syncAfterBytes() && !batch.due) {
        batch.due = true;
        begin(batch);
      }
    } finally {
      lock.unlock();
    }
  }

  private void later(Batch batch) {
    try {
      var _ =
          timer.schedule(
              () -> begin(batch), settings.syncEvery().toMillis(), TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      // The cache closes, which syncs all batches itself.
      log.debug("cache: {} is synced by close", batch.device);
    }
  }

  private void begin(Batch batch) {
    try {
      disk.execute(() -> finish(batch));
    } catch (RejectedExecutionException e) {
      log.debug("cache: {} is synced by close", batch.device);
    }
  }

  /** Syncs all that was written. */
  void flush() {
    List<Batch> all;
    lock.lock();
    try {
      all = new ArrayList<>(batches.values());
    } finally {
      lock.unlock();
    }
    all.forEach(this::finish);
  }

  private void finish(Batch batch) {
    lock.lock();
    try {
      if (!batches.remove(batch.device, batch)) {
        return;
      }
    } finally {
      lock.unlock();
    }
    CacheDevice device = batch.device;
    device.syncLock().lock();
    try (OpenFiles.Handle handle = batch.handle) {
      long start = System.nanoTime();
      sync(device, handle);
      listener.synced(Duration.ofNanos(System.nanoTime() - start));
    } catch (IOException e) {
      listener.failed(CacheListener.Failure.DISK);
      log.error("cache: {} in {} is not synced: {}", device, device.directory(), e.toString());
    } finally {
      device.syncLock().unlock();
    }
  }

  private void sync(CacheDevice device, OpenFiles.Handle handle) throws IOException {
    Presence presence = device.presence();
    long[] snapshot = presence.snapshot();
    try {
      handle.data().force(false);
    } catch (IOException e) {
      // Pages that the kernel could not write are clean now, and may be dropped at any time.
      int lost = presence.loseUnsynced(handle.presence());
      log.error("cache: {}: {} chunks are fetched again: {}", device, lost, e.toString());
      throw e;
    }
    failpoints.reached(Failpoints.Point.DATA_SYNCED);
    presence.makeDurable(snapshot, handle.presence());
  }
}

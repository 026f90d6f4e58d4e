package sluice.cache;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;

/**
 * The threads of a cache, each kind for one kind of waiting.
 *
 * @param network virtual threads, which only wait: for registries, and for the other two
 * @param streams platform threads, one for each whole blob that streams through a decoder
 * @param compute as many platform threads as there are cores: they decode and hash
 * @param disk platform threads, for calls that would pin a carrier; never interrupted, since that
 *     closes the channel they use
 * @param timer begins syncs when they are due
 */
record CacheThreads(
    ExecutorService network,
    ExecutorService streams,
    ExecutorService compute,
    ExecutorService disk,
    ScheduledExecutorService timer) {

  private static final int DISK_THREADS = 16;
  private static final long CLOSE_SECONDS = 30;

  static CacheThreads start() {
    int cores = Runtime.getRuntime().availableProcessors();
    return new CacheThreads(
        Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("cache-fetch-", 0).factory()),
        Executors.newCachedThreadPool(named("cache-stream-")),
        Executors.newFixedThreadPool(cores, named("cache-compute-")),
        Executors.newFixedThreadPool(DISK_THREADS, named("cache-disk-")),
        Executors.newSingleThreadScheduledExecutor(named("cache-timer-")));
  }

  private static ThreadFactory named(String prefix) {
    return Thread.ofPlatform().daemon().name(prefix, 0).factory();
  }

  /** A task's result. */
  static <T> Future<T> submit(ExecutorService pool, Callable<T> task) throws IOException {
    try {
      return pool.submit(task);
    } catch (RejectedExecutionException e) {
      throw new IOException("cache: closed", e);
    }
  }

  /** Runs a task there and waits for it. */
  static <T> T on(ExecutorService pool, Callable<T> task) throws IOException, InterruptedException {
    return await(submit(pool, task));
  }

  /** Waits for a task; what it threw is thrown here. */
  static <T> T await(Future<T> future) throws IOException, InterruptedException {
    try {
      return future.get();
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case IOException cause -> throw cause;
        case InterruptedException cause -> throw cause;
        case RuntimeException cause -> throw cause;
        case Error cause -> throw cause;
        case null, default -> throw new IOException(e);
      }
    }
  }

  /** Ends fetches, by interrupt, and waits for what is being written. */
  void stopFetching() throws IOException {
    network.shutdownNow();
    streams.shutdownNow();
    timer.shutdownNow();
    end(network);
    end(streams);
    compute.shutdown();
    end(compute);
  }

  /** Waits for the disk; to be called after {@link #stopFetching}. */
  void stopDisk() throws IOException {
    disk.shutdown();
    end(disk);
  }

  private static void end(ExecutorService pool) throws IOException {
    try {
      if (!pool.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS)) {
        throw new IOException("cache: threads still run " + CLOSE_SECONDS + " s after its close");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw (IOException) new InterruptedIOException("cache: close interrupted").initCause(e);
    }
  }
}

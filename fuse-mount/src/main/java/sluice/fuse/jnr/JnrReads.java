package sluice.fuse.jnr;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;
import sluice.fuse.Failures;
import sluice.fuse.FuseListener;
import sluice.fuse.FuseListener.Source;
import sluice.fuse.ReadPlan;
import sluice.linux.Signals;

/**
 * Reads on libfuse's threads, which wait where they must: libfuse makes more of them. It does not
 * say when a reader gets a signal, so a reader that waits is looked at. Safe for use by many
 * threads.
 */
final class JnrReads {

  /** How often a reader that waits is looked at: whether it is dying. */
  private static final Duration LOOK_EVERY = Duration.ofMillis(100);

  private final FuseListener listener;
  private final Set<Thread> waiting = ConcurrentHashMap.newKeySet();

  JnrReads(FuseListener listener) {
    this.listener = listener;
  }

  /**
   * Reads, fetching what is missing.
   *
   * @param reader the thread that reads; asked for only if it must wait
   * @return the bytes read, or a negative errno
   */
  int read(ReadPlan plan, MemorySegment into, IntSupplier reader) {
    long taken = System.nanoTime();
    try {
      Source source = Source.DISK;
      if (!plan.present()) {
        source = Source.FETCHED;
        ensure(plan, reader.getAsInt());
      } else if (plan.readCached(into)) {
        listener.read(Source.MEMORY, plan.lengthBytes(), System.nanoTime() - taken);
        return plan.lengthBytes();
      }
      plan.read(into);
      listener.read(source, plan.lengthBytes(), System.nanoTime() - taken);
      return plan.lengthBytes();
    } catch (IOException | RuntimeException | Error | InterruptedException e) {
      return -Failures.ofRead(plan, e);
    }
  }

  /** Lets all that wait go, with an error. */
  void close() {
    waiting.forEach(Thread::interrupt);
  }

  private void ensure(ReadPlan plan, int pid) throws IOException, InterruptedException {
    if (!plan.image().waiting().enter(plan.lengthBytes(), waiting.size())) {
      throw new IOException(
          "too many reads wait for data of this image (%s); is its registry reachable?"
              .formatted(plan.image().waiting()));
    }
    FutureTask<@Nullable Void> fetch =
        new FutureTask<>(() -> {
          plan.ensure();
          return null;
        });
    Thread thread = Thread.ofVirtual().name("fuse-miss").unstarted(fetch);
    waiting.add(thread);
    listener.waiting(waiting.size());
    thread.start();
    try {
      await(fetch, thread, pid);
    } finally {
      waiting.remove(thread);
      plan.image().waiting().leave(plan.lengthBytes());
      listener.waiting(waiting.size());
    }
  }

  private static void await(FutureTask<@Nullable Void> fetch, Thread thread, int pid)
      throws IOException, InterruptedException {
    while (true) {
      try {
        fetch.get(LOOK_EVERY.toMillis(), TimeUnit.MILLISECONDS);
        return;
      } catch (TimeoutException e) {
        if (pid != 0 && Signals.dying(pid)) {
          thread.interrupt();
        }
      } catch (ExecutionException e) {
        switch (e.getCause()) {
          case IOException cause -> throw cause;
          case InterruptedException cause -> throw cause;
          case null, default -> throw new IOException("fetch failed: " + e.getCause(), e);
        }
      }
    }
  }
}

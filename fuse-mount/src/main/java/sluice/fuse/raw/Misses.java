package sluice.fuse.raw;

import java.io.IOException;
import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import sluice.fuse.Failures;
import sluice.fuse.FuseListener;
import sluice.fuse.FuseRequest;
import sluice.fuse.ReadPlan;
import sluice.linux.Signals;

/**
 * Reads that wait for data that is not local, each on a virtual thread of its own. Safe for use by
 * many threads.
 *
 * <h2>Signals</h2>
 *
 * The kernel sends INTERRUPT for <em>any</em> signal that a waiting reader gets, and only once. A
 * program that is being killed must get its answer, for it can't end before. One that has a handler
 * for the signal must not: no program expects EINTR of a file, and where the read is a page fault
 * it would die of SIGBUS (Go's scheduler signals its threads a hundred times a second). So after an
 * INTERRUPT we look whether the reader is dying, then and until it is answered. The fetch that it
 * waited for goes on if others wait for it.
 */
final class Misses {

  /** How often a reader that got a signal is looked at. */
  private static final Duration LOOK_EVERY = Duration.ofMillis(100);

  /**
   * How many interrupts are remembered that came before their request: two readers may take them in
   * the other order. One that came after its answer is remembered for nothing, and pushed out.
   */
  private static final int MAX_EARLY = 1024;

  private record Miss(FuseRequest.Read request, Thread thread) {}

  private final DiskPool disk;
  private final FuseListener listener;
  private final Map<Long, Miss> waiting = new ConcurrentHashMap<>();

  /** Interrupts of requests not seen yet. Guarded by itself. */
  private final Set<Long> early = new LinkedHashSet<>();

  Misses(DiskPool disk, FuseListener listener) {
    this.disk = disk;
    this.listener = listener;
  }

  /** Waits for the bytes of {@code plan} and lets the disk pool answer. Returns at once. */
  void begin(FuseRequest.Read request, ReadPlan plan, long takenNanos) {
    if (!plan.image().waiting().enter(plan.lengthBytes(), waiting.size())) {
      disk.fail(request, Failures.ofRead(plan, tooMany(plan)), takenNanos);
      return;
    }
    Thread thread =
        Thread.ofVirtual()
            .name("fuse-miss-" + request.unique())
            .unstarted(() -> await(request, plan, takenNanos));
    Miss miss = new Miss(request, thread);
    waiting.put(request.unique(), miss);
    listener.waiting(waiting.size());
    thread.start();
    if (forgetEarly(request.unique())) {
      watch(miss);
    }
  }

  /** The reader of a request got a signal. */
  void interrupt(long unique) {
    Miss miss = waiting.get(unique);
    if (miss == null) {
      rememberEarly(unique);
      // It may have begun between the two lines above.
      miss = waiting.get(unique);
    }
    if (miss != null) {
      watch(miss);
    }
  }

  /** Interrupts all that wait; false if some have not ended after {@code patience}. */
  boolean close(Duration patience) throws InterruptedException {
    long deadline = System.nanoTime() + patience.toNanos();
    for (Miss miss : waiting.values()) {
      miss.thread().interrupt();
    }
    for (Miss miss : waiting.values()) {
      long left = deadline - System.nanoTime();
      if (!miss.thread().join(Duration.ofNanos(Math.max(1, left)))) {
        return false;
      }
    }
    return true;
  }

  private void await(FuseRequest.Read request, ReadPlan plan, long takenNanos) {
    int errno = 0;
    try {
      plan.ensure();
    } catch (IOException | RuntimeException | Error | InterruptedException e) {
      errno = Failures.ofRead(plan, e);
    } finally {
      waiting.remove(request.unique());
      plan.image().waiting().leave(plan.lengthBytes());
      listener.waiting(waiting.size());
    }
    if (errno == 0) {
      disk.answer(request, plan, FuseListener.Source.FETCHED, takenNanos);
    } else {
      disk.fail(request, errno, takenNanos);
    }
  }

  private void watch(Miss miss) {
    if (dying(miss)) {
      miss.thread().interrupt();
    } else {
      Thread.ofVirtual().name("fuse-signal-" + miss.request().unique()).start(() -> look(miss));
    }
  }

  private void look(Miss miss) {
    try {
      while (!miss.thread().join(LOOK_EVERY)) {
        if (dying(miss)) {
          miss.thread().interrupt();
          return;
        }
      }
    } catch (InterruptedException e) {
      // Nobody interrupts this thread; were it so, the miss would only be answered later.
      Thread.currentThread().interrupt();
    }
  }

  /**
   * A reader that can't be seen, in another PID namespace, is let go at once: it might be dying.
   */
  private static boolean dying(Miss miss) {
    return miss.request().pid() == 0 || Signals.dying(miss.request().pid());
  }

  private void rememberEarly(long unique) {
    synchronized (early) {
      early.add(unique);
      if (early.size() > MAX_EARLY) {
        Iterator<Long> oldest = early.iterator();
        oldest.next();
        oldest.remove();
      }
    }
  }

  private boolean forgetEarly(long unique) {
    synchronized (early) {
      return early.remove(unique);
    }
  }

  private static IOException tooMany(ReadPlan plan) {
    return new IOException(
        "too many reads wait for data of this image (%s); is its registry reachable?"
            .formatted(plan.image().waiting()));
  }
}

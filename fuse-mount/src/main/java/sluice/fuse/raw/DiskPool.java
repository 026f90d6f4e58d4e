package sluice.fuse.raw;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.fuse.Failures;
import sluice.fuse.FuseListener;
import sluice.fuse.FuseRequest;
import sluice.fuse.Opcode;
import sluice.fuse.ReadPlan;

/**
 * Answers reads whose bytes are local but not in memory. Platform threads, for pread(2) and
 * write(2) by downcall would pin the carrier of a virtual one. Its queue is bounded by what the
 * kernel lets wait. Safe for use by many threads.
 */
final class DiskPool {

  private static final Logger LOG = LoggerFactory.getLogger(DiskPool.class);

  /** Enough to keep a disk's queue full; each holds an answer of up to 1 MiB while it works. */
  private static final int THREADS = 16;

  private static final Duration IDLE = Duration.ofSeconds(30);

  private final FuseListener listener;
  private final ThreadPoolExecutor threads;
  private final ThreadLocal<Reply> replies;

  DiskPool(FuseDevice device, int maxReadBytes, FuseListener listener) {
    this.listener = listener;
    this.replies = ThreadLocal.withInitial(() -> new Reply(device, maxReadBytes));
    this.threads =
        new ThreadPoolExecutor(
            THREADS,
            THREADS,
            IDLE.toSeconds(),
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            Thread.ofPlatform().daemon().name("fuse-disk-", 0).factory(),
            // After the session's end nobody waits for an answer.
            new ThreadPoolExecutor.DiscardPolicy());
    threads.allowCoreThreadTimeOut(true);
  }

  /** Reads what {@code plan} finds present and answers the request, by a thread of the pool. */
  void answer(
      FuseRequest.Read request, ReadPlan plan, FuseListener.Source source, long takenNanos) {
    threads.execute(() -> answerHere(request, plan, source, takenNanos, replies.get()));
  }

  /** Answers the request with an errno. */
  void fail(FuseRequest.Read request, int errno, long takenNanos) {
    threads.execute(() -> refuse(request, errno, takenNanos, replies.get()));
  }

  /** Finishes what was begun; false if it takes longer than {@code patience}. */
  boolean close(Duration patience) throws InterruptedException {
    threads.shutdown();
    return threads.awaitTermination(patience.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** As {@link #answer}, but by this thread, which waits for the disk. */
  void answerHere(
      FuseRequest.Read request,
      ReadPlan plan,
      FuseListener.Source source,
      long takenNanos,
      Reply reply) {
    try {
      plan.read(reply.body());
    } catch (IOException | RuntimeException | Error e) {
      refuse(request, Failures.ofRead(plan, e), takenNanos, reply);
      return;
    }
    try {
      reply.send(request.unique(), plan.lengthBytes());
      long nanos = System.nanoTime() - takenNanos;
      listener.read(source, plan.lengthBytes(), nanos);
      listener.answered(Opcode.READ.label(), 0, nanos);
    } catch (IOException e) {
      LOG.error("{}: can't be answered", request, e);
    }
  }

  private void refuse(FuseRequest.Read request, int errno, long takenNanos, Reply reply) {
    try {
      reply.fail(request.unique(), errno);
      listener.answered(Opcode.READ.label(), errno, System.nanoTime() - takenNanos);
    } catch (IOException e) {
      LOG.error("{}: can't be answered", request, e);
    }
  }
}

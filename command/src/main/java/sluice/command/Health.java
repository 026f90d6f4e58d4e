package sluice.command;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.snapshotter.image.ImageLibrary;
import sluice.snapshotter.metrics.MetricsServer;

/**
 * Whether the daemon can do its work, for {@code /healthz}. Each probe has a second to answer, and
 * one that hangs is not begun a second time. The answer is kept for a second, so that asking often
 * costs nothing. Safe for use by many threads.
 */
final class Health implements Supplier<MetricsServer.Health>, Closeable {

  private static final Logger LOG = LoggerFactory.getLogger(Health.class);

  private static final Duration LIMIT = Duration.ofSeconds(1);
  private static final Duration KEPT = Duration.ofSeconds(1);

  /** What the probe of the root writes: a block of its own, which a full disk has not. */
  private static final int PROBE_BYTES = 4096;

  private static final int PROBLEMS_SHOWN = 3;

  private final List<Probe> probes;
  private final InstantSource clock;
  private final Duration limit;
  private final ExecutorService workers = Executors.newVirtualThreadPerTaskExecutor();

  /** Guarded by this. */
  private MetricsServer.Health answer = new MetricsServer.Health(true, "ok");

  /** Guarded by this. */
  private @Nullable Instant answered;

  /** Looks at one thing; throws if it is not well. */
  @FunctionalInterface
  interface Look {
    void run() throws IOException;
  }

  private static final class Probe {
    private final String name;
    private final Look look;

    /** Guarded by the {@link Health}. */
    private @Nullable Future<Boolean> running;

    Probe(String name, Look look) {
      this.name = name;
      this.look = look;
    }
  }

  Health(InstantSource clock, Duration limit, Look mounts, Look store, Look root) {
    this.clock = clock;
    this.limit = limit;
    this.probes =
        List.of(new Probe("mounts", mounts), new Probe("store", store), new Probe("root", root));
  }

  /** That of a daemon with this root. */
  static Health of(Path root, NodeStock stock) {
    return new Health(
        InstantSource.system(),
        LIMIT,
        () -> requireMounts(stock.images().runs()),
        () -> LOG.trace("{}", stock.store().counts()),
        () -> requireWritable(root.resolve("health-probe")));
  }

  @Override
  public synchronized MetricsServer.Health get() {
    Instant now = clock.instant();
    Instant last = answered;
    if (last == null || !now.isBefore(last.plus(KEPT)) || now.isBefore(last)) {
      answer = ask();
      answered = clock.instant();
    }
    return answer;
  }

  private MetricsServer.Health ask() {
    for (Probe probe : probes) {
      if (probe.running == null) {
        probe.running =
            workers.submit(() -> {
              probe.look.run();
              return true;
            });
      }
    }
    List<String> problems = new ArrayList<>();
    long deadline = System.nanoTime() + limit.toNanos();
    for (Probe probe : probes) {
      try {
        await(probe, deadline);
      } catch (IOException e) {
        problems.add(probe.name + ": " + Failure.sentence(e));
      }
    }
    return problems.isEmpty()
        ? new MetricsServer.Health(true, "ok")
        : new MetricsServer.Health(false, String.join("\n", problems));
  }

  private void await(Probe probe, long deadline) throws IOException {
    Future<Boolean> running = probe.running;
    if (running == null) {
      return;
    }
    try {
      var _ = running.get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
      probe.running = null;
    } catch (TimeoutException e) {
      throw new IOException("no answer within " + limit.toMillis() + " ms", e);
    } catch (ExecutionException e) {
      probe.running = null;
      throw new IOException(Failure.sentence(e.getCause() == null ? e : e.getCause()), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  /** That what was mounted is still served. An image that cannot be mounted is no node's fault. */
  static void requireMounts(List<ImageLibrary.RunState> runs) throws IOException {
    List<String> ended =
        runs.stream()
            .filter(ImageLibrary.RunState::ended)
            .map(run -> run.directory() + ": " + run.problem())
            .toList();
    if (!ended.isEmpty()) {
      throw new IOException(
          "%d have ended (%s)"
              .formatted(
                  ended.size(),
                  String.join("; ", ended.subList(0, Math.min(ended.size(), PROBLEMS_SHOWN)))));
    }
  }

  static void requireWritable(Path probe) throws IOException {
    Files.write(probe, new byte[PROBE_BYTES]);
    Files.delete(probe);
  }

  @Override
  public void close() {
    workers.shutdownNow();
  }
}

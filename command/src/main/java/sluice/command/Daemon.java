package sluice.command;

import io.grpc.BindableService;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.function.DoubleSupplier;
import java.util.function.ToLongFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.command.config.Config;
import sluice.core.Platform;
import sluice.core.RootfsMounter;
import sluice.fuse.FuseOptions;
import sluice.fuse.Transport;
import sluice.mount.FuseMounters;
import sluice.snapshotter.image.ImageLibrary;
import sluice.snapshotter.image.LocalContent;
import sluice.snapshotter.image.TrustPolicy;
import sluice.snapshotter.metrics.MeteredLazyLayers;
import sluice.snapshotter.metrics.Meters;
import sluice.snapshotter.metrics.MetricsServer;
import sluice.snapshotter.service.ControlService;
import sluice.snapshotter.service.SnapshotsService;
import sluice.snapshotter.service.SocketServer;
import sluice.snapshotter.state.Fallbacks;
import sluice.snapshotter.state.LazyLayers;
import sluice.snapshotter.state.SnapshotCounts;
import sluice.snapshotter.state.Snapshotter;
import sluice.snapshotter.store.RootLock;
import sluice.snapshotter.store.SqliteSnapshotStore;

/**
 * The daemon that containerd speaks with. It answers as soon as its store is open; the images that
 * containers stand on are mounted again behind that.
 *
 * <p>Closing it takes no more calls, unmounts every image, and lets go of the root. Containers that
 * still run on an image get errors from then on; they go on after they are started again.
 */
final class Daemon implements Closeable {

  private static final Logger LOG = LoggerFactory.getLogger(Daemon.class);

  /** What must be closed, the last opened first. */
  private final Deque<Closeable> opened = new ArrayDeque<>();

  private Daemon() {}

  /**
   * Starts it.
   *
   * @throws IOException if another daemon has the root, the socket or the port of the metrics; what
   *     was opened until then is closed
   */
  static Daemon start(Config config) throws IOException {
    Daemon daemon = new Daemon();
    try {
      daemon.open(config);
      return daemon;
    } catch (IOException | RuntimeException e) {
      try {
        daemon.close();
      } catch (IOException suppressed) {
        e.addSuppressed(suppressed);
      }
      throw e;
    }
  }

  private void open(Config config) throws IOException {
    Path root = config.root();
    Engine.makePrivate(root);
    keep(RootLock.take(root));
    Meters meters = new Meters();
    if (!config.metrics().address().isEmpty()) {
      MetricsServer metrics =
          keep(
              MetricsServer.start(
                  address(config.metrics().address()),
                  meters::scrape,
                  () -> new MetricsServer.Health(true, "ok")));
      LOG.info("metrics on http://{}/metrics", config.metrics().address());
      LOG.debug("metrics server {}", metrics.address());
    }
    SqliteSnapshotStore store =
        keep(SqliteSnapshotStore.open(root.resolve("sluice.db"), InstantSource.system()));
    Engine engine =
        keep(
            Engine.open(
                root,
                config.pull().parallelStreams(),
                new Engine.Listeners(
                    MeterListeners.fetches(meters), MeterListeners.cache(meters))));
    RootfsMounter mounter =
        keep(
            FuseMounters.forNode(
                transport(config),
                root.resolve("node"),
                FuseOptions.forContainers(),
                MeterListeners.fuse(meters)));
    ImageLibrary library = images(config, engine, mounter);
    LazyLayers images = new MeteredLazyLayers(library, meters);
    Fallbacks fallbacks = new Fallbacks();
    Snapshotter snapshotter = Snapshotter.start(root, store, images, fallbacks);
    gauges(meters, snapshotter, engine);
    ControlService.Daemon self = new ControlService.Daemon(Version.text(), root, Instant.now());
    List<BindableService> services =
        List.of(
            new SnapshotsService(snapshotter),
            new ControlService(
                self,
                snapshotter,
                fallbacks,
                List.of(new DaemonStatus(library, engine.cache(), store, meters))));
    Path parent = config.address().toAbsolutePath().getParent();
    if (parent != null) {
      Files.createDirectories(parent);
    }
    keep(SocketServer.listen(config.address(), services));
    LOG.info("sluice {} serves {} from {}", Version.text(), config.address(), root);
  }

  private static ImageLibrary images(Config config, Engine engine, RootfsMounter mounter)
      throws IOException {
    return ImageLibrary.open(
        new ImageLibrary.Settings(
            config.root(),
            Platform.host(),
            config.pull().indexDeadline(),
            trust(config.trust().unverifiedDiffIds())),
        new ImageLibrary.Ports(
            engine.places(),
            LocalContent.NONE,
            engine.cache(),
            mounter,
            engine.workers(),
            Clock.systemUTC()),
        engine.layers());
  }

  private static void gauges(Meters meters, Snapshotter snapshotter, Engine engine) {
    meters.snapshots(Meters.SnapshotKind.ACTIVE, count(snapshotter, SnapshotCounts::active));
    meters.snapshots(Meters.SnapshotKind.VIEW, count(snapshotter, SnapshotCounts::views));
    meters.snapshots(
        Meters.SnapshotKind.COMMITTED,
        count(snapshotter, counts -> counts.committedLocal() + counts.committedLazy()));
    meters.cacheBytes(() -> {
      try {
        return engine.cache().report().devices().stream()
            .mapToLong(entry -> entry.occupiedBytes())
            .sum();
      } catch (IOException e) {
        LOG.debug("cache: its size cannot be told", e);
        return Double.NaN;
      }
    });
  }

  private static DoubleSupplier count(
      Snapshotter snapshotter, ToLongFunction<SnapshotCounts> kind) {
    return () -> {
      try {
        return kind.applyAsLong(snapshotter.counts());
      } catch (IOException e) {
        LOG.debug("store: snapshots cannot be counted", e);
        return Double.NaN;
      }
    };
  }

  private static Transport transport(Config config) {
    return switch (config.fuse().transport()) {
      case RAW -> Transport.RAW;
      case JNR -> Transport.JNR;
    };
  }

  private static TrustPolicy trust(Config.UnverifiedDiffIds configured) {
    return switch (configured) {
      case Config.UnverifiedDiffIds.Allow() -> new TrustPolicy.Allow();
      case Config.UnverifiedDiffIds.Deny() -> new TrustPolicy.Deny();
      case Config.UnverifiedDiffIds.From(Set<String> registries) ->
          new TrustPolicy.Registries(registries);
    };
  }

  private static InetSocketAddress address(String text) throws IOException {
    int colon = text.lastIndexOf(':');
    try {
      return new InetSocketAddress(
          text.substring(0, Math.max(0, colon)), Integer.parseInt(text.substring(colon + 1)));
    } catch (IllegalArgumentException e) {
      throw new IOException("metrics.address \"" + text + "\": host:port expected", e);
    }
  }

  private <C extends Closeable> C keep(C closeable) {
    opened.push(closeable);
    return closeable;
  }

  @Override
  public void close() throws IOException {
    IOException failed = null;
    while (!opened.isEmpty()) {
      try {
        opened.pop().close();
      } catch (IOException e) {
        if (failed == null) {
          failed = e;
        } else {
          failed.addSuppressed(e);
        }
      }
    }
    if (failed != null) {
      throw failed;
    }
  }
}

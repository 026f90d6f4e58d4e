package sluice.command;

import java.io.Closeable;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.function.DoubleSupplier;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.command.config.Config;
import sluice.command.index.IndexPublisher;
import sluice.command.index.OfferedLayers;
import sluice.formats.soci.ZtocRecorder;
import sluice.snapshotter.check.LayerChecks;
import sluice.snapshotter.check.Suspects;
import sluice.snapshotter.check.UndecidedLayer;
import sluice.snapshotter.containerd.ContainerdContent;
import sluice.snapshotter.image.LayerChoice;
import sluice.snapshotter.image.RejectedIndexes;
import sluice.snapshotter.metrics.MeteredLazyLayers;
import sluice.snapshotter.metrics.Meters;
import sluice.snapshotter.metrics.MetricsServer;
import sluice.snapshotter.service.CacheService;
import sluice.snapshotter.service.ControlService;
import sluice.snapshotter.service.SnapshotsService;
import sluice.snapshotter.service.SocketServer;
import sluice.snapshotter.state.Fallbacks;
import sluice.snapshotter.state.LazyLayers;
import sluice.snapshotter.state.SnapshotCounts;
import sluice.snapshotter.state.Snapshotter;
import sluice.snapshotter.store.RootLock;

/**
 * The daemon that containerd speaks with. It answers as soon as its store is open; the images that
 * containers stand on are mounted again behind that.
 *
 * <p>Closing it takes no more calls, unmounts every image, and lets go of the root. Containers that
 * still run on an image get errors from then on; they go on after they are started again.
 */
final class Daemon implements Closeable {

  private static final Logger LOG = LoggerFactory.getLogger(Daemon.class);

  private final OpenParts opened = new OpenParts();

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
      daemon.opened.closeAfter(e);
      throw e;
    }
  }

  private void open(Config config) throws IOException {
    Path root = config.root();
    Engine.makePrivate(root);
    LostRoots.warn(root);
    Meters meters = new Meters();
    Suspects suspects = new Suspects();
    ContainerdContent content =
        opened.keep(ContainerdContent.at(config.containerd().address(), InstantSource.system()));
    NodeStock stock =
        opened.keep(
            NodeStock.open(
                RootLock.take(root),
                config,
                content::find,
                new NodeStock.Listeners(
                    new Engine.Listeners(
                        MeterListeners.fetches(meters), MeterListeners.cache(meters, suspects)),
                    MeterListeners.fuse(meters))));
    if (config.metrics().enabled()) {
      Config.Metrics at = config.metrics();
      Health health = opened.keep(Health.of(root, stock));
      MetricsServer metrics =
          opened.keep(
              MetricsServer.start(
                  new InetSocketAddress(at.host(), at.port()), meters::scrape, health));
      LOG.info("metrics on http://{}:{}/metrics", at.host(), metrics.address().getPort());
    }
    Fallbacks fallbacks = new Fallbacks();
    LayerChoice choice = stock.engine().choice();
    meters.formats(choice.names());
    LazyLayers layers =
        offered(config, stock, new MeteredLazyLayers(stock.images(), meters, choice.streaming()));
    Snapshotter snapshotter = Snapshotter.start(root, stock.store(), layers, fallbacks);
    gauges(meters, snapshotter, stock.engine());
    Supplier<List<UndecidedLayer>> undecided =
        startChecks(config, stock.engine(), meters, suspects);
    meters.undecidedLayers(() -> undecided.get().size());
    RejectedIndexes rejected = choice.rejected();
    ControlService.Daemon self = new ControlService.Daemon(Version.text(), root, Instant.now());
    opened.keep(
        SocketServer.listen(
            config.address(),
            List.of(
                new SnapshotsService(snapshotter),
                new ControlService(
                    self,
                    snapshotter,
                    fallbacks,
                    List.of(
                        new DaemonStatus(stock, meters),
                        new IndexDoubts(stock.store(), rejected, undecided))),
                new CacheService(new NodeCache(stock, snapshotter)))));
    LOG.info("sluice {} serves {} from {}", Version.text(), config.address(), root);
  }

  /** The same, with images offered to whoever pushes the indexes that are made of them. */
  private LazyLayers offered(Config config, NodeStock stock, LazyLayers layers) throws IOException {
    Optional<ZtocRecorder> recorder = stock.engine().recorder();
    if (config.index().publish() == Config.Publish.NEVER) {
      return layers;
    }
    if (recorder.isEmpty()) {
      LOG.warn(
          "index.publish: nothing is pushed, because no indexes are made (index.record = false)");
      return layers;
    }
    ImagePlaces places = stock.engine().places();
    return new OfferedLayers(
        layers,
        opened.keep(
            IndexPublisher.start(
                new IndexPublisher.Ports(places, places, recorder.get(), InstantSource.system()),
                config.root().resolve("pushes"))));
  }

  /** Has layers compared, if that is wanted; tells which of them could not be. */
  private Supplier<List<UndecidedLayer>> startChecks(
      Config config, Engine engine, Meters meters, Suspects suspects) {
    Config.CheckLayers when = config.trust().checkLayers();
    if (when == Config.CheckLayers.NEVER) {
      return List::of;
    }
    LayerChecks checks =
        opened.keep(
            LayerChecks.start(
                engine.layers().claims(),
                engine.cache(),
                engine.check(),
                when == Config.CheckLayers.ALWAYS
                    ? LayerChecks.Due.ALWAYS
                    : LayerChecks.Due.COMPLETE,
                suspects,
                MeterListeners.checks(meters)));
    return checks::undecided;
  }

  private static void gauges(Meters meters, Snapshotter snapshotter, Engine engine) {
    meters.snapshots(Meters.SnapshotKind.ACTIVE, count(snapshotter, SnapshotCounts::active));
    meters.snapshots(Meters.SnapshotKind.VIEW, count(snapshotter, SnapshotCounts::views));
    meters.snapshots(
        Meters.SnapshotKind.COMMITTED,
        count(snapshotter, counts -> counts.committedLocal() + counts.committedLazy()));
    meters.cacheBytes(() -> {
      try {
        return engine.cache().occupiedBytes();
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

  @Override
  public void close() throws IOException {
    opened.close();
  }
}

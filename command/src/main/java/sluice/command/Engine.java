package sluice.command;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.cache.CacheListener;
import sluice.cache.CacheSettings;
import sluice.cache.ChunkCache;
import sluice.cache.Failpoints;
import sluice.command.config.Config;
import sluice.core.Digest;
import sluice.core.IndexTrust;
import sluice.formats.decode.EncodingDecoder;
import sluice.formats.record.LayerRecorder;
import sluice.formats.soci.OwnIndexes;
import sluice.formats.soci.ZtocRecorder;
import sluice.formats.tar.HeaderCheck;
import sluice.formats.tar.TarFormat;
import sluice.linux.LocalDirectories;
import sluice.registry.FetchListener;
import sluice.registry.OciLayout;
import sluice.registry.RegistryClient;
import sluice.registry.RegistryConfig;
import sluice.snapshotter.check.LayerCheck;
import sluice.snapshotter.image.ChainLibrary;
import sluice.snapshotter.image.ImageLoader;
import sluice.snapshotter.image.ImageResolver;
import sluice.snapshotter.image.LayerChoice;
import sluice.snapshotter.image.LayerLibrary;
import sluice.snapshotter.image.LocalContent;
import sluice.snapshotter.image.RejectedIndexes;

/**
 * The parts that every command which touches images needs, bound together below one directory. The
 * directory belongs to one process.
 */
final class Engine implements Closeable {

  private static final Logger LOG = LoggerFactory.getLogger(Engine.class);

  /** Where a test has the process die, as {@link Failpoints#parse} reads it. */
  private static final String FAILPOINT = "SLUICE_FAILPOINT";

  /** Layers that are treated as if no format served them: digests with commas between them. */
  private static final String REFUSED_LAYERS = "SLUICE_TEST_REFUSE_LAYERS";

  /** Indexes that are made here, below the root. */
  static final String INDEXES = "indexes";

  /** The library of layers, below the root. */
  static final String LAYERS = "layers";

  /** Indexes that are known to be of no use, below the root. */
  static final String REJECTED = "rejected.json";

  /** Layers that are being compared, below the root. */
  private static final String CHECKS = "checks";

  /** An index has about a hundredth of its layer's length. */
  private static final long MAX_INDEX_BYTES = 1L << 30;

  private final RegistryClient registries;
  private final ImagePlaces places;
  private final ExecutorService workers;
  private final ChunkCache cache;
  private final Optional<ZtocRecorder> recorder;
  private final LayerChoice choice;
  private final LayerLibrary layers;
  private final Path root;

  private Engine(
      Path root,
      RegistryClient registries,
      ImagePlaces places,
      ExecutorService workers,
      ChunkCache cache,
      Optional<ZtocRecorder> recorder,
      LayerChoice choice,
      LayerLibrary layers) {
    this.root = root;
    this.registries = registries;
    this.places = places;
    this.workers = workers;
    this.cache = cache;
    this.recorder = recorder;
    this.choice = choice;
    this.layers = layers;
  }

  /** Who hears what happens. */
  record Listeners(FetchListener fetches, CacheListener cache) {
    static final Listeners NONE = new Listeners(FetchListener.NONE, CacheListener.NONE);
  }

  /**
   * How layers get their indexes.
   *
   * @param file the configuration that says so
   * @param order as {@link Formats#inOrder} takes it
   * @param record whether an index is made of layers that are streamed
   * @param parallelStreams how many layers are streamed at once
   */
  record Indexes(
      String file, List<String> order, Trust trust, boolean record, int parallelStreams) {
    /** Trust that needs to ask nobody, and no indexes of our own. */
    Indexes(List<String> order, IndexTrust trust, int parallelStreams) {
      this("command", order, documents -> trust, false, parallelStreams);
    }

    static Indexes of(Config config) throws IOException {
      return new Indexes(
          config.file(),
          config.index().order(),
          Trust.of(config),
          records(config),
          config.pull().parallelStreams());
    }

    /** Nobody makes indexes that nobody uses: neither this node, nor others by a registry. */
    private static boolean records(Config config) {
      Config.Index index = config.index();
      boolean wanted =
          Formats.useMade(index.order()) || index.publish() == Config.Publish.ASK_REGISTRY;
      if (index.record() && !wanted) {
        LOG.warn(
            "{}: no indexes are made of layers that stream: index.order has no \"soci\", by which"
                + " they would be used; add it, or set index.record = false",
            config.file());
      }
      return index.record() && wanted;
    }
  }

  /**
   * Opens everything below {@code root}, which is made for this user alone if it is not there.
   *
   * @throws IOException if another process has it open
   */
  static Engine open(Path root, Indexes indexes, Listeners listeners) throws IOException {
    makePrivate(root);
    RegistryClient registries =
        RegistryClient.open(RegistryConfig.ofProcess(), listeners.fetches());
    ExecutorService workers = Executors.newVirtualThreadPerTaskExecutor();
    try {
      ImagePlaces places =
          new ImagePlaces(ImagePlaces.Place.of(new OciLayout()), ImagePlaces.Place.of(registries));
      ChunkCache cache =
          ChunkCache.open(
              root.resolve("devices"),
              places,
              new EncodingDecoder(),
              new HeaderCheck(),
              CacheSettings.defaults(),
              listeners.cache(),
              Failpoints.parse(System.getenv().getOrDefault(FAILPOINT, "")));
      Optional<ZtocRecorder> recorder = Optional.empty();
      try {
        LayerCheck.clean(root.resolve(CHECKS));
        OwnIndexes own =
            OwnIndexes.open(root.resolve(INDEXES), MAX_INDEX_BYTES, InstantSource.system());
        if (indexes.record) {
          recorder =
              Optional.of(
                  ZtocRecorder.open(own, ZtocRecorder.Settings.of("Sluice " + Version.text())));
        }
        Formats.Made made =
            new Formats.Made(
                recorder.<LayerRecorder>map(each -> each).orElse(LayerRecorder.NONE), own);
        Formats formats = new Formats(places, places, made);
        LayerChoice choice =
            new LayerChoice(
                formats.inOrder(indexes.order, indexes.file),
                indexes.trust.asking(places),
                RejectedIndexes.open(root.resolve(REJECTED)),
                formats::isVariant);
        LayerLibrary layers =
            LayerLibrary.open(
                root.resolve(LAYERS),
                choice,
                cache,
                new LayerLibrary.Settings(indexes.parallelStreams, refusedLayers()),
                workers);
        return new Engine(root, registries, places, workers, cache, recorder, choice, layers);
      } catch (IOException | RuntimeException e) {
        recorder.ifPresent(ZtocRecorder::close);
        cache.close();
        throw e;
      }
    } catch (IOException | RuntimeException e) {
      workers.shutdownNow();
      registries.close();
      throw e;
    }
  }

  /** Makes a directory that only its owner may enter: images hold set-id programs. */
  static void makePrivate(Path directory) throws IOException {
    Files.createDirectories(directory);
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
  }

  ImagePlaces places() {
    return places;
  }

  ChunkCache cache() {
    return cache;
  }

  LayerLibrary layers() {
    return layers;
  }

  /** What makes indexes of layers that stream; empty if none are to be made. */
  Optional<ZtocRecorder> recorder() {
    return recorder;
  }

  LayerChoice choice() {
    return choice;
  }

  /** Compares layers with what their indexes show. */
  LayerCheck check() {
    return new LayerCheck(
        TarFormat::inBackground, new BackgroundSource(places), cache, root.resolve(CHECKS));
  }

  /** A thread for each task; they end with the engine. */
  ExecutorService workers() {
    return workers;
  }

  ImageResolver resolver() {
    return new ImageResolver(places, LocalContent.NONE, choice::isVariant);
  }

  ImageLoader loader() throws IOException {
    return new ImageLoader(
        layers, ChainLibrary.open(root.resolve("chains"), new LocalDirectories(), workers), cache);
  }

  @Override
  public void close() throws IOException {
    workers.shutdownNow();
    recorder.ifPresent(ZtocRecorder::close);
    try {
      cache.close();
    } finally {
      registries.close();
    }
  }

  private static Set<Digest> refusedLayers() {
    String listed = System.getenv().getOrDefault(REFUSED_LAYERS, "");
    return Arrays.stream(listed.split(",", -1))
        .filter(text -> !text.isBlank())
        .map(text -> Digest.parse(text.strip()))
        .collect(Collectors.toUnmodifiableSet());
  }
}

package sluice.snapshotter.image;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.core.CorruptException;
import sluice.core.DeviceId;
import sluice.core.DeviceStore;
import sluice.core.Digest;
import sluice.core.ImageReference;
import sluice.core.IndexOrigin;
import sluice.core.LayerFormat;
import sluice.core.LayerFormat.Recognition;
import sluice.core.LayerIndex;
import sluice.core.Repository;

/**
 * The layers of this node, each made once and kept in a directory {@code <format>_<digest>} with
 * its tree and its record. Safe for use by many threads; the directory belongs to one process.
 *
 * <p>A layer is made in a directory of another name, which is renamed when everything in it is on
 * disk; what a crash leaves half made is removed by {@link #open}.
 */
public final class LayerLibrary {

  private static final Logger LOG = LoggerFactory.getLogger(LayerLibrary.class);
  private static final String UNFINISHED = ".new-";

  /** Locks of layers; more than there are processors, so that they rarely meet. */
  private static final int LOCKS = 64;

  private final Path directory;
  private final LayerChoice choice;
  private final DeviceStore devices;
  private final Set<Digest> refused;
  private final Semaphore streams;
  private final SingleFlight<LayerKey, KeptLayer> flights;
  private final SingleFlight<Planned, LayerPlan> planning;
  private final Activity making = new Activity();
  private final ConcurrentHashMap<LayerKey, KeptLayer> loaded = new ConcurrentHashMap<>();

  /** Each guards the directories of the layers whose keys it is for; held across local I/O. */
  private final List<ReentrantLock> locks =
      Stream.generate(ReentrantLock::new).limit(LOCKS).toList();

  private LayerLibrary(
      Path directory,
      LayerChoice choice,
      DeviceStore devices,
      Settings settings,
      ExecutorService workers) {
    this.directory = directory;
    this.choice = choice;
    this.devices = devices;
    this.refused = settings.refused;
    this.streams = new Semaphore(settings.parallelStreams);
    this.flights = new SingleFlight<>(workers);
    this.planning = new SingleFlight<>(workers);
  }

  /** A layer of which somebody finds out what becomes of it. */
  private record Planned(ImageReference image, Digest manifest, int position) {}

  /**
   * What may be set.
   *
   * @param parallelStreams how many layers are streamed at once, 1 or more
   * @param refused layers that are treated as if no format served them; for tests, which force
   *     chains of lazy and ordinary layers by it
   */
  public record Settings(int parallelStreams, Set<Digest> refused) {
    public Settings {
      refused = Set.copyOf(refused);
    }
  }

  /**
   * Opens the library in {@code directory}, which is made if it is not there.
   *
   * @param choice says which format serves a layer
   * @param workers runs what outlives its caller; the caller closes it
   */
  public static LayerLibrary open(
      Path directory,
      LayerChoice choice,
      DeviceStore devices,
      Settings settings,
      ExecutorService workers)
      throws IOException {
    Files.createDirectories(directory);
    try (DirectoryStream<Path> unfinished = Files.newDirectoryStream(directory, UNFINISHED + "*")) {
      for (Path leftover : unfinished) {
        DurableFiles.deleteTree(leftover);
      }
    }
    return new LayerLibrary(directory, choice, devices, settings, workers);
  }

  /**
   * Says what becomes of a layer. Reads no more of its blob than the formats need to recognise it.
   *
   * @throws CorruptException if the library knows the layer by another diff ID
   */
  public LayerPlan plan(LayerFormat.Layer layer) throws IOException, InterruptedException {
    Digest digest = layer.descriptor().digest();
    if (refused.contains(digest)) {
      return new LayerPlan.Ordinary(List.of("refused by the test switch"));
    }
    Optional<KeptLayer> verified = findVerified(digest);
    if (verified.isPresent()) {
      return kept(verified.get(), layer);
    }
    List<String> refusals = new ArrayList<>();
    for (LayerChoice.Answer answer : choice.untilUsable(layer)) {
      switch (answer.recognition()) {
        case Recognition.Foreign() -> {}
        case Recognition.Refused(String reason) -> refusals.add(answer.format() + ": " + reason);
        case Recognition.Tree(LayerFormat.Indexer indexer, IndexOrigin origin) -> {
          return plan(layer, answer.format(), origin, indexer, false, refusals);
        }
        case Recognition.ImageTree(LayerFormat.Indexer indexer, IndexOrigin origin) -> {
          return plan(layer, answer.format(), origin, indexer, true, refusals);
        }
        case Recognition.DataOnly() -> {
          return new LayerPlan.DataOnly(answer.format());
        }
      }
    }
    if (refusals.isEmpty()) {
      refusals.add("no format serves media type " + layer.descriptor().mediaType());
    }
    return new LayerPlan.Ordinary(refusals);
  }

  private LayerPlan plan(
      LayerFormat.Layer layer,
      String format,
      IndexOrigin origin,
      LayerFormat.Indexer indexer,
      boolean wholeImage,
      List<String> refusals)
      throws IOException {
    LayerKey key = new LayerKey(format, layer.descriptor().digest(), origin.index());
    Optional<KeptLayer> kept = find(key);
    return kept.isPresent()
        ? kept(kept.get(), layer)
        : new LayerPlan.Indexable(key, wholeImage, indexer, refusals);
  }

  private LayerPlan kept(KeptLayer kept, LayerFormat.Layer layer) throws IOException {
    addHolders(kept, layer.holders());
    return new LayerPlan.Kept(checked(kept, layer.diffId()));
  }

  /**
   * What becomes of a layer after its index turned out to be of no use: the next format's turn.
   *
   * @throws CorruptException {@code failure}, if no other format serves it
   */
  LayerPlan planAfter(CorruptException failure, LayerFormat.Layer layer, LayerPlan plan)
      throws IOException, InterruptedException {
    if (!(plan instanceof LayerPlan.Indexable failed) || failed.indexer().streams()) {
      throw failure;
    }
    choice.rejected().broken(failed.key(), String.valueOf(failure.getMessage()));
    LayerPlan next = plan(layer);
    boolean other =
        switch (next) {
          case LayerPlan.Kept _ -> true;
          case LayerPlan.Indexable(
                  LayerKey key,
                  boolean _,
                  LayerFormat.Indexer _,
                  List<String> _) ->
              !key.equals(failed.key());
          case LayerPlan.DataOnly _, LayerPlan.Ordinary _ -> false;
        };
    if (!other) {
      throw failure;
    }
    LOG.warn(
        "layer {} is not served from its {} index: {}",
        layer.descriptor().digest(),
        failed.key().format(),
        failure.getMessage());
    return next;
  }

  /** What says which format serves a layer. */
  LayerChoice choice() {
    return choice;
  }

  /** Begins to say what becomes of a layer. */
  Future<LayerPlan> planning(LayerFormat.Layer layer) {
    return planning.join(
        new Planned(layer.image().reference(), layer.image().digest(), layer.position()),
        () -> plan(layer));
  }

  /**
   * Begins to make a layer, or joins those who do. The work outlives its callers; wait for it with
   * {@link #await}.
   */
  Future<KeptLayer> make(LayerFormat.Layer layer, LayerPlan.Indexable plan) {
    return flights.join(plan.key(), () -> making.run(() -> index(layer, plan)));
  }

  /** Begins to make a layer for which nobody waits yet; a failure shows when somebody does. */
  void begin(LayerFormat.Layer layer, LayerPlan.Indexable plan) {
    if (make(layer, plan).isCancelled()) {
      throw new AssertionError("nobody cancels the making of a layer");
    }
  }

  /** The result of {@link #make}, if it is the layer that the caller means. */
  KeptLayer await(Future<KeptLayer> made, LayerFormat.Layer layer)
      throws IOException, InterruptedException {
    return checked(SingleFlight.await(made), layer.diffId());
  }

  /** Whether the layer is being made. */
  boolean isMaking(LayerKey key) {
    return flights.flying(key);
  }

  /** A layer that is in the library, with all its devices. */
  public Optional<KeptLayer> find(LayerKey key) {
    Optional<KeptLayer> known = known(key);
    if (known.isPresent()) {
      return known;
    }
    ReentrantLock guard = lockOf(key);
    guard.lock();
    try {
      return known(key).or(() -> load(key));
    } finally {
      guard.unlock();
    }
  }

  private Optional<KeptLayer> known(LayerKey key) {
    return Optional.ofNullable(loaded.get(key))
        .filter(layer -> Files.isRegularFile(layer.metadataImage()));
  }

  private Optional<KeptLayer> load(LayerKey key) {
    loaded.remove(key);
    Path place = directory.resolve(key.toString());
    if (!Files.isDirectory(place)) {
      return Optional.empty();
    }
    try {
      KeptLayer layer = LayerRecord.read(place, key);
      if (!Files.isRegularFile(layer.metadataImage())) {
        throw new NoSuchFileException(layer.metadataImage().toString());
      }
      for (DeviceId device : layer.devices()) {
        devices.open(device);
      }
      loaded.put(key, layer);
      return Optional.of(layer);
    } catch (IOException e) {
      LOG.warn("layer {} is made anew: what is kept of it cannot be used: {}", key, e.toString());
      return Optional.empty();
    }
  }

  /** A layer that is in the library and vouches for its tree, by whatever format read it. */
  Optional<KeptLayer> findVerified(Digest layer) {
    return choice.formats().stream()
        .flatMap(format -> find(LayerKey.verified(format.name(), layer)).stream())
        .findFirst();
  }

  /** The keys of all layers in the library. */
  public Set<LayerKey> keys() throws IOException {
    Set<LayerKey> keys = new HashSet<>();
    try (DirectoryStream<Path> places = Files.newDirectoryStream(directory)) {
      for (Path place : places) {
        LayerKey.parse(place.getFileName().toString()).ifPresent(keys::add);
      }
    }
    return keys;
  }

  /** Deletes these layers; their devices go with {@link #sweepDevices}. */
  void delete(Collection<LayerKey> keys) throws IOException {
    for (LayerKey key : keys) {
      Path grave = Files.createTempDirectory(directory, UNFINISHED);
      try {
        bury(key, grave.resolve("layer"));
      } finally {
        DurableFiles.deleteTree(grave);
      }
    }
  }

  private void bury(LayerKey key, Path grave) throws IOException {
    ReentrantLock guard = lockOf(key);
    guard.lock();
    try {
      loaded.remove(key);
      Files.move(directory.resolve(key.toString()), grave);
    } catch (NoSuchFileException e) {
      LOG.debug("layer {} was gone already", key);
    } finally {
      guard.unlock();
    }
  }

  /**
   * Deletes the devices that no layer of the library points into. Opens none of them.
   *
   * @return false if nothing was done because layers are being made, whose devices no record names
   *     yet
   * @throws IOException if a record that is there cannot be read, so that nobody can tell whose
   *     devices are whose; then none is deleted
   */
  boolean sweepDevices() throws IOException {
    return making.tryAlone(() -> {
      Set<DeviceId> live = new HashSet<>();
      for (LayerKey key : keys()) {
        live.addAll(recordedDevices(key));
      }
      devices.retain(live);
    });
  }

  private List<DeviceId> recordedDevices(LayerKey key) throws IOException {
    try {
      return LayerRecord.read(directory.resolve(key.toString()), key).devices();
    } catch (NoSuchFileException | CorruptException e) {
      LOG.warn("layer {} is of no use, and its devices are not kept: {}", key, e.toString());
      return List.of();
    } catch (IOException e) {
      throw new IOException(
          "no device is deleted, because the record of layer %s cannot be read: %s"
              .formatted(key, e),
          e);
    }
  }

  private KeptLayer index(LayerFormat.Layer layer, LayerPlan.Indexable plan)
      throws IOException, InterruptedException {
    Optional<KeptLayer> meanwhile = find(plan.key());
    if (meanwhile.isPresent()) {
      return meanwhile.get();
    }
    boolean streams = plan.indexer().streams();
    if (streams) {
      this.streams.acquire();
    }
    Path place = Files.createTempDirectory(directory, UNFINISHED);
    try {
      LayerIndex index = plan.indexer().index(LayerRecord.tree(place), devices);
      return publish(layer, plan, index, place);
    } finally {
      if (streams) {
        this.streams.release();
      }
      DurableFiles.deleteTree(place);
    }
  }

  private KeptLayer publish(
      LayerFormat.Layer layer, LayerPlan.Indexable plan, LayerIndex index, Path place)
      throws IOException {
    Path target = directory.resolve(plan.key().toString());
    KeptLayer kept =
        new KeptLayer(
            plan.key(),
            layer.diffId(),
            plan.wholeImage(),
            LayerRecord.tree(target),
            index.devices(),
            index.hints());
    DurableFiles.sync(index.metadataImage());
    LayerRecord.write(place, kept);
    DurableFiles.sync(place);
    ReentrantLock guard = lockOf(plan.key());
    guard.lock();
    try {
      DurableFiles.deleteTree(target);
      DurableFiles.publish(place, target);
      loaded.put(plan.key(), kept);
    } finally {
      guard.unlock();
    }
    LOG.debug("layer {} is in the library, with {} devices", plan.key(), kept.devices().size());
    return kept;
  }

  private ReentrantLock lockOf(LayerKey key) {
    return locks.get(Math.floorMod(key.hashCode(), LOCKS));
  }

  private void addHolders(KeptLayer layer, Set<Repository> holders) throws IOException {
    for (DeviceId device : layer.devices()) {
      devices.addHolders(device, holders);
    }
  }

  /** What one image says of a layer must be what the format verified when it was made. */
  private static KeptLayer checked(KeptLayer layer, Digest diffId) throws CorruptException {
    if (!layer.diffId().equals(diffId)) {
      throw new CorruptException(
          "diff ID %s in the image's configuration, but the layer's is %s"
              .formatted(diffId, layer.diffId()),
          "layer " + layer.key().layer(),
          -1);
    }
    return layer;
  }
}

package sluice.snapshotter.image;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.core.CorruptException;
import sluice.core.DeviceId;
import sluice.core.DeviceStore;
import sluice.core.Digest;
import sluice.core.FetchException;
import sluice.core.Fidelity;
import sluice.core.ImageReference;
import sluice.core.IndexOrigin;
import sluice.core.IndexOrigin.Binding;
import sluice.core.LayerFormat;
import sluice.core.LayerFormat.Recognition;
import sluice.core.LayerIndex;
import sluice.core.Repository;

/**
 * The layers of this node, each made once and kept in a {@link LayerDirectory}. Safe for use by
 * many threads; the directory belongs to one process.
 */
public final class LayerLibrary {

  private static final Logger LOG = LoggerFactory.getLogger(LayerLibrary.class);

  private final LayerDirectory kept;
  private final LayerChoice choice;
  private final DeviceStore devices;
  private final Set<Digest> refused;
  private final Semaphore streams;
  private final ExecutorService workers;
  private final SingleFlight<LayerKey, KeptLayer> flights;
  private final SingleFlight<Planned, LayerPlan> planning;
  private final Activity making = new Activity();

  private LayerLibrary(
      LayerDirectory kept,
      LayerChoice choice,
      DeviceStore devices,
      Settings settings,
      ExecutorService workers) {
    this.kept = kept;
    this.choice = choice;
    this.devices = devices;
    this.refused = settings.refused;
    this.streams = new Semaphore(settings.parallelStreams);
    this.workers = workers;
    this.flights = new SingleFlight<>(workers);
    this.planning = new SingleFlight<>(workers);
  }

  /** A layer of which somebody finds out what becomes of it. */
  private record Planned(ImageReference image, Digest manifest, int position) {}

  /** Keeps what is about to be made from being swept. */
  @FunctionalInterface
  interface Hold {
    void hold() throws InterruptedException;
  }

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
    return new LayerLibrary(
        LayerDirectory.open(directory, devices), choice, devices, settings, workers);
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
    List<String> refusals = new ArrayList<>();
    for (LayerChoice.Answer answer : answers(layer)) {
      switch (answer.recognition()) {
        case Recognition.Foreign() -> {}
        case Recognition.Refused(String reason) -> refusals.add(answer.format() + ": " + reason);
        case Recognition.Tree(LayerFormat.Indexer indexer, IndexOrigin origin) -> {
          Optional<KeptLayer> streamed = find(LayerKey.verified(choice.streaming(), digest));
          if (streamed.isPresent()) {
            return kept(streamed.get(), layer);
          }
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

  /** A layer that streams now is joined, even if the index that is made of it is there already. */
  private List<LayerChoice.Answer> answers(LayerFormat.Layer layer) throws InterruptedException {
    for (LayerFormat format : choice.formats()) {
      if (isMaking(LayerKey.verified(format.name(), layer.descriptor().digest()))) {
        return List.of(choice.ask(format, layer));
      }
    }
    return choice.untilUsable(layer);
  }

  private LayerPlan plan(
      LayerFormat.Layer layer,
      String format,
      IndexOrigin origin,
      LayerFormat.Indexer indexer,
      boolean wholeImage,
      List<String> refusals)
      throws IOException {
    LayerKey key = LayerKey.of(format, layer, origin);
    Optional<KeptLayer> there = find(key);
    return there.isPresent()
        ? kept(there.get(), layer)
        : new LayerPlan.Indexable(key, origin, wholeImage, indexer, refusals);
  }

  private LayerPlan kept(KeptLayer there, LayerFormat.Layer layer) throws IOException {
    addHolders(there, layer.holders());
    return new LayerPlan.Kept(checked(there, layer.diffId()));
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
          case LayerPlan.Indexable indexable -> !indexable.key().equals(failed.key());
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

  /**
   * Begins to make a layer for which nobody waits yet, if it can be made; what that needs is found
   * out behind the caller.
   *
   * @param first is run before the layer is begun
   */
  void beginAhead(LayerFormat.Layer layer, Hold first) {
    workers.execute(() -> {
      try {
        if (plan(layer) instanceof LayerPlan.Indexable indexable) {
          first.hold();
          begin(layer, indexable);
        }
      } catch (IOException e) {
        LOG.debug("layer {} is left to its own Prepare", layer.descriptor().digest(), e);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    });
  }

  /** Whether the layer is being made. */
  boolean isMaking(LayerKey key) {
    return flights.flying(key);
  }

  /** A layer that is in the library, with all its devices. */
  public Optional<KeptLayer> find(LayerKey key) {
    return kept.find(key);
  }

  /** The keys of all layers in the library. */
  public Set<LayerKey> keys() throws IOException {
    return kept.keys();
  }

  /** Deletes these layers; their devices go with {@link #sweepDevices}. */
  void delete(Collection<LayerKey> keys) throws IOException {
    kept.delete(keys);
  }

  /** Layers that are in use and that nobody has compared with what they hold. */
  public List<KeptLayer> claimed() {
    return kept.claimed().stream().filter(layer -> lie(layer.key()).isEmpty()).toList();
  }

  /** What a format's indexes do not say; empty if the format is not in use. */
  public Optional<Fidelity> fidelity(String format) {
    return choice.formats().stream()
        .filter(each -> each.name().equals(format))
        .map(LayerFormat::fidelity)
        .findFirst();
  }

  /** Notes that the layer holds what its tree shows. */
  public void honest(KeptLayer layer) throws IOException {
    kept.compared(layer);
  }

  /** Notes that the layer does not hold what its tree shows: it is not mounted from now on. */
  public void lying(KeptLayer layer, String how) throws IOException {
    choice.rejected().lying(layer.key(), how);
  }

  /**
   * Checks that nothing is known against a layer's index.
   *
   * @throws CorruptException if it does not show what the layer holds
   */
  void requireHonest(LayerKey key) throws CorruptException {
    Optional<String> lie = lie(key);
    if (lie.isPresent()) {
      throw new CorruptException(
          lie.get() + "; remove the image and pull it again", "layer " + key.layer(), -1);
    }
  }

  /** What is known against a layer's index; empty if nothing is. */
  Optional<String> lie(LayerKey key) {
    return choice
        .rejected()
        .lie(key)
        .map(how -> "its %s index does not show what it holds: %s".formatted(key.format(), how));
  }

  /** A layer that is in the library and vouches for its tree, by whatever format read it. */
  Optional<KeptLayer> findVerified(Digest layer) {
    return choice.formats().stream()
        .flatMap(format -> find(LayerKey.verified(format.name(), layer)).stream())
        .findFirst();
  }

  /**
   * A layer that is in the library, by an index of which it is known that it shows what the layer
   * holds: one that was made here, or was compared.
   */
  Optional<KeptLayer> findProven(Digest layer) {
    try {
      return keys().stream()
          .filter(key -> key.layer().equals(layer) && key.index() != null)
          .flatMap(key -> find(key).stream())
          .filter(found -> found.claim() == null && !found.wholeImage())
          .filter(found -> lie(found.key()).isEmpty())
          .findFirst();
    } catch (IOException e) {
      LOG.warn("layer {}: what is kept of it cannot be listed: {}", layer, e.toString());
      return Optional.empty();
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
      devices.retain(kept.recordedDevices());
    });
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
    Path place = kept.begin();
    try {
      LayerIndex index = plan.indexer().index(LayerRecord.tree(place), devices);
      KeptLayer made = made(layer, plan, index);
      kept.publish(made, place);
      LOG.debug("layer {} is in the library, with {} devices", plan.key(), made.devices().size());
      return made;
    } catch (FetchException e) {
      throw layer.descriptor().urls().isEmpty() ? e : elsewhere(layer, e);
    } finally {
      if (streams) {
        this.streams.release();
      }
      DurableFiles.deleteTree(place);
    }
  }

  /** A foreign layer; what an image names is not asked, as any image could name any host. */
  private static FetchException elsewhere(LayerFormat.Layer layer, FetchException failure) {
    return new FetchException(
        "%s; its descriptor names other places, from which Sluice does not fetch: %s"
            .formatted(failure.getMessage(), layer.descriptor().urls()),
        failure.reason(),
        failure.status(),
        failure);
  }

  private KeptLayer made(LayerFormat.Layer layer, LayerPlan.Indexable plan, LayerIndex index) {
    return new KeptLayer(
        plan.key(),
        layer.diffId(),
        plan.wholeImage(),
        LayerRecord.tree(kept.place(plan.key())),
        index.devices(),
        index.hints(),
        plan.origin().binding() == Binding.LAYER
            ? null
            : new KeptLayer.Claim(layer.descriptor(), layer.holders()));
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

package sluice.snapshotter.image;

import java.io.IOException;
import java.nio.file.Path;
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
import sluice.core.IndexOrigin.Binding;
import sluice.core.LayerFormat;
import sluice.core.LayerIndex;
import sluice.core.Repository;

/**
 * The layers of this node, each made once and kept in a {@link LayerDirectory}. Safe for use by
 * many threads; the directory belongs to one process.
 */
public final class LayerLibrary {

  private static final Logger LOG = LoggerFactory.getLogger(LayerLibrary.class);

  /** In the library's directory; no layer has such a name. */
  private static final String COMPARED = "compared-variants";

  private final LayerDirectory kept;
  private final LayerChoice choice;
  private final DeviceStore devices;
  private final LayerPlanner planner;
  private final LayerClaims claims;
  private final Semaphore streams;
  private final ExecutorService workers;
  private final SingleFlight<LayerKey, KeptLayer> flights;
  private final Activity making = new Activity();

  private LayerLibrary(
      LayerDirectory kept,
      ComparedVariants compared,
      LayerChoice choice,
      DeviceStore devices,
      Settings settings,
      ExecutorService workers) {
    this.kept = kept;
    this.choice = choice;
    this.devices = devices;
    this.planner = new LayerPlanner(this, choice, settings.refused, workers);
    this.claims = new LayerClaims(kept, choice, compared);
    this.streams = new Semaphore(settings.parallelStreams);
    this.workers = workers;
    this.flights = new SingleFlight<>(workers);
  }

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
        LayerDirectory.open(directory, devices),
        ComparedVariants.open(directory.resolve(COMPARED)),
        choice,
        devices,
        settings,
        workers);
  }

  /** What says which format serves a layer. */
  LayerChoice choice() {
    return choice;
  }

  /** What says what becomes of a layer. */
  LayerPlanner planner() {
    return planner;
  }

  /** What is known of layers that do not vouch for their trees. */
  public LayerClaims claims() {
    return claims;
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
    return shared(SingleFlight.await(made), layer);
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
        if (planner.plan(layer) instanceof LayerPlan.Indexable indexable) {
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
      LOG.info(
          "layer {} of {} is streamed: {}",
          layer.descriptor().digest(),
          layer.image().reference(),
          planner
              .whyStreamed(layer.image().digest(), layer.descriptor().digest())
              .orElse("why is not known any more"));
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
            : new KeptLayer.Claim(
                List.of(new KeptLayer.Held(layer.descriptor(), layer.diffId(), layer.holders()))));
  }

  /**
   * A layer that is there already, and that another image may hold as well.
   *
   * @throws CorruptException if that image says that its diff ID is another
   */
  KeptLayer shared(KeptLayer there, LayerFormat.Layer layer) throws IOException {
    return addHolders(checked(there, layer.diffId()), layer.holders());
  }

  /** Notes that the layer is held by these repositories, too; the layer as it is now. */
  KeptLayer addHolders(KeptLayer layer, Set<Repository> holders) throws IOException {
    for (DeviceId device : layer.devices()) {
      devices.addHolders(device, holders);
    }
    return layer.claim() == null ? layer : kept.addHolders(layer, holders);
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

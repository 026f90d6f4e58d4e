package sluice.snapshotter.image;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.core.CorruptException;
import sluice.core.DeviceId;
import sluice.core.DeviceStore;
import sluice.core.Digest;
import sluice.core.FetchException;
import sluice.core.ImageReference;
import sluice.core.ImageRegistry;
import sluice.core.Platform;
import sluice.core.Repository;
import sluice.core.RootfsMounter;
import sluice.core.UnservedException;
import sluice.erofs.DirectoryWalk;
import sluice.erofs.LinkTargets;
import sluice.erofs.UnresolvedLinkException;
import sluice.snapshotter.state.CommittedLayer;
import sluice.snapshotter.state.FallbackKind;
import sluice.snapshotter.state.LayerRequest;
import sluice.snapshotter.state.LazyLayer;
import sluice.snapshotter.state.LazyLayers;
import sluice.snapshotter.state.LazyRun;
import sluice.snapshotter.state.Usage;

/**
 * The images of a node that runs containerd: layers become lazy, runs of them become directories,
 * and what no snapshot needs is deleted. Safe for use by many threads.
 */
public final class ImageLibrary implements LazyLayers {

  private static final Logger LOG = LoggerFactory.getLogger(ImageLibrary.class);

  private final LayerLibrary layers;
  private final LayerPreparation preparation;
  private final RunTrees runTrees;
  private final ChainLibrary chains;
  private final MountedRuns runs;
  private final Sweep sweep;
  private final DeviceStore devices;
  private final DeviceOwners owners;
  private final ExecutorService workers;
  private final Pins pins;

  private ImageLibrary(
      LayerLibrary layers,
      LayerPreparation preparation,
      RunTrees runTrees,
      ChainLibrary chains,
      MountedRuns runs,
      Sweep sweep,
      DeviceStore devices,
      DeviceOwners owners,
      ExecutorService workers,
      Pins pins) {
    this.layers = layers;
    this.preparation = preparation;
    this.runTrees = runTrees;
    this.chains = chains;
    this.runs = runs;
    this.sweep = sweep;
    this.devices = devices;
    this.owners = owners;
    this.workers = workers;
    this.pins = pins;
  }

  /**
   * What the library stands on; the caller closes what must be closed, after the library's use.
   *
   * @param local containerd's content store, or {@link LocalContent#NONE}
   * @param directories looks into layers that containerd unpacked
   * @param workers a thread for each task: what outlives its caller runs there
   */
  public record Ports(
      ImageRegistry registry,
      LocalContent local,
      DeviceStore devices,
      RootfsMounter mounter,
      DirectoryWalk directories,
      ExecutorService workers,
      Clock clock) {}

  /**
   * What may be set.
   *
   * @param root the daemon's directory
   * @param platform the platform whose manifest of an index is taken
   * @param indexLimit how long one Prepare waits for manifest and index
   */
  public record Settings(Path root, Platform platform, Duration indexLimit) {}

  /**
   * A run that is mounted, or should be.
   *
   * @param chainId of its topmost layer
   * @param directory where it is mounted, or was until somebody unmounted it; empty if it could not
   *     be mounted
   * @param problem why it is not mounted, or what is wrong with it; empty if it is sound
   * @param ended whether it was mounted, and is not served any more
   */
  public record RunState(
      Digest chainId, String directory, String driver, String problem, boolean ended) {}

  /** Opens the images below {@link Settings#root}; the layers are those of {@code layers}. */
  public static ImageLibrary open(Settings settings, Ports ports, LayerLibrary layers)
      throws IOException {
    Pins pins = new Pins(ports.clock);
    ImageResolver resolver =
        new ImageResolver(ports.registry, ports.local, layers.choice()::isVariant);
    Path mounts = settings.root.resolve("m");
    Files.createDirectories(mounts);
    ChainLibrary chains =
        ChainLibrary.open(settings.root.resolve("chains"), ports.directories, ports.workers);
    RunTrees runTrees = new RunTrees(layers, resolver);
    RootfsLibrary roots = new RootfsLibrary(mounts, ports.mounter, ports.devices, ports.workers);
    MountedRuns runs = new MountedRuns(runTrees, chains, roots, pins);
    DeviceOwners owners = new DeviceOwners();
    return new ImageLibrary(
        layers,
        new LayerPreparation(
            new ResolvedImages(resolver, settings.platform, ports.clock, ports.workers),
            layers,
            settings.indexLimit,
            pins),
        runTrees,
        chains,
        runs,
        new Sweep(layers, chains, runs, owners, pins),
        ports.devices,
        owners,
        ports.workers,
        pins);
  }

  @Override
  public Outcome prepare(LayerRequest request) throws InterruptedException {
    String name = request.imageReference();
    if (name == null) {
      return new Outcome.Fallback(
          FallbackKind.NOT_NAMED,
          "the request has no label containerd.io/snapshot/cri.image-ref; pull by `sluice pull`, or"
              + " let containerd pass snapshot annotations");
    }
    try {
      ImageReference reference = ImageReference.parse(name);
      ResolvedImages.Asked asked =
          new ResolvedImages.Asked(
              reference, digest(request.manifestDigest()), digest(request.targetDigest()));
      return lazy(request, preparation.prepare(request, asked));
    } catch (TimeoutException e) {
      return fallback(FallbackKind.TIMEOUT, request, "manifest and index were not there in time");
    } catch (UnservedException e) {
      return fallback(FallbackKind.UNSUPPORTED, request, e.getMessage());
    } catch (FetchException e) {
      return fallback(FallbackKind.REGISTRY, request, e.getMessage());
    } catch (CorruptException e) {
      return fallback(FallbackKind.CORRUPT, request, e.getMessage());
    } catch (FileSystemException e) {
      return fallback(FallbackKind.DISK, request, e.toString());
    } catch (IllegalArgumentException e) {
      return fallback(FallbackKind.NOT_NAMED, request, e.getMessage());
    } catch (IOException | RuntimeException e) {
      LOG.error("{}: fault while it was prepared", request, e);
      return fallback(FallbackKind.INTERNAL, request, e.toString());
    }
  }

  @Override
  public void named(LazyLayer layer, LayerRequest request) {
    String name = request.imageReference();
    if (name != null) {
      workers.execute(() -> addHolder(layer, name, request));
    }
  }

  /** An image that has only layers of others is begun here: none of its layers is prepared. */
  private void addHolder(LazyLayer layer, String name, LayerRequest request) {
    try {
      Set<Repository> holder = Set.of(ImageReference.parse(name).repository());
      Optional<KeptLayer> kept = runTrees.kept(layer);
      if (kept.isPresent() && !kept.get().wholeImage()) {
        layers.addHolders(kept.get(), holder);
      } else if (kept.isEmpty() && request.topmost()) {
        runTrees.beginMissing(LazyRun.ofTop(layer, request.below()).layers(), holder);
      }
    } catch (IOException | IllegalArgumentException e) {
      LOG.debug("layer {}: {} may not serve it: {}", layer.chainId(), name, e.toString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public Rootfs mount(LazyRun run) throws IOException, InterruptedException {
    return runs.mount(run);
  }

  /** The tree that shows the chain up to a layer, or the layer's own; empty if it must be made. */
  public Optional<KeptLayer> kept(LazyLayer layer) {
    return runTrees.kept(layer);
  }

  /** Whether a layer was streamed whole, as no index of it could be used. */
  public boolean isStreamed(LazyLayer layer) {
    return layer.format().equals(layers.choice().streaming());
  }

  /**
   * Why a layer was streamed, in a line for people; empty if it was not, or if that was decided
   * before this process began, or too long ago.
   */
  public Optional<String> whyStreamed(LazyLayer layer) {
    return isStreamed(layer)
        ? layers.planner().whyStreamed(layer.manifest(), layer.layer().digest())
        : Optional.empty();
  }

  /** What is mounted, and what could not be. */
  public List<RunState> runs() {
    return runs.states();
  }

  @Override
  public Usage usage(LazyLayer layer) throws IOException {
    Optional<KeptLayer> kept = runTrees.kept(layer);
    if (kept.isEmpty()) {
      return new Usage(0, 0);
    }
    long bytes = Files.size(kept.get().metadataImage());
    long files = 1;
    for (DeviceId device : kept.get().devices()) {
      if (owners.owns(layer.chainId(), device)) {
        bytes += devices.occupiedBytes(device);
        files++;
      }
    }
    return new Usage(bytes, files);
  }

  @Override
  public void retain(NeededQuery needed) throws IOException {
    sweep.run(needed);
  }

  @Override
  public void restore(Needed needed) {
    for (LazyRun run : needed.mounted()) {
      workers.execute(() -> restore(run));
    }
  }

  private void restore(LazyRun run) {
    try {
      mount(run).pin().close();
    } catch (IOException | RuntimeException e) {
      if (workers.isShutdown()) {
        stopped(run, e);
      } else {
        LOG.error("image {} is not mounted again", run.top().image(), e);
      }
    } catch (InterruptedException e) {
      stopped(run, e);
      Thread.currentThread().interrupt();
    }
  }

  /** The next daemon mounts it. */
  private static void stopped(LazyRun run, Exception e) {
    LOG.debug("image {} is not mounted again before the daemon stops", run.top().image(), e);
  }

  private Outcome lazy(LayerRequest request, LayerPreparation.Ready ready)
      throws IOException, InterruptedException {
    try {
      LazyRun run = LazyRun.ofTop(ready.layer(), request.below());
      if (!run.below().isEmpty()) {
        requireLinksWithin(runTrees.input(run));
      }
      if (ready.last()) {
        LOG.info("image {} is there: {}", ready.layer().image(), tally(ready, request.below()));
      }
      workers.execute(() -> mergeAhead(request, run, ready));
      return new Outcome.Lazy(ready.layer(), ready.pin());
    } catch (IOException | InterruptedException | RuntimeException e) {
      ready.pin().close();
      throw e;
    }
  }

  /** What became of the layers of an image of which this one is the topmost. */
  private String tally(LayerPreparation.Ready top, List<CommittedLayer> chain) {
    LayerTally tally = new LayerTally();
    int unpacked = 0;
    for (CommittedLayer below : chain) {
      switch (below) {
        case CommittedLayer.Lazy(LazyLayer layer) -> tally.add(layer.format(), isStreamed(layer));
        case CommittedLayer.Local _ -> unpacked++;
      }
    }
    tally.add(top.layer().format(), isStreamed(top.layer()));
    return "%s, %d unpacked".formatted(tally, unpacked);
  }

  /**
   * A hard link into a layer that was unpacked the ordinary way cannot be merged: only a layer that
   * is unpacked as well can hold it.
   */
  private static void requireLinksWithin(MergeInput input) throws IOException {
    if (input.below().isEmpty()) {
      return;
    }
    try {
      LinkTargets.requireResolved(input.trees());
    } catch (UnresolvedLinkException e) {
      throw new UnservedException(
          "the layers below are not all lazy, and it links into one that is not: "
              + e.getMessage());
    }
  }

  /** Makes what lower layers lack for this one, and merges when the image is whole. */
  private void mergeAhead(LayerRequest request, LazyRun run, LayerPreparation.Ready ready) {
    try {
      if (!ready.last()) {
        if (layers.find(LayerKey.ofOwn(ready.layer())).isPresent()) {
          runTrees.beginMissing(run.layers(), Set.of());
        }
        return;
      }
      MergeInput input = runTrees.input(run);
      ChainKey key = ChainKey.of(input);
      if (chains.has(key)) {
        // A container came before, and may be gone again: nobody else need be waited for.
        return;
      }
      pins.holdAhead(key);
      SingleFlight.await(chains.merge(key, input));
    } catch (IOException | RuntimeException e) {
      LOG.warn("{}: not merged ahead: {}", request, e.toString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static @Nullable Digest digest(@Nullable String text) {
    return text == null ? null : Digest.parse(text);
  }

  private static Outcome fallback(
      FallbackKind kind, LayerRequest request, @Nullable String reason) {
    return new Outcome.Fallback(kind, request + ": " + reason);
  }
}

package sluice.snapshotter.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static sluice.snapshotter.image.FakeRegistry.AMD64;
import static sluice.snapshotter.image.FakeRegistry.layer;
import static sluice.snapshotter.image.FakeRegistry.marked;
import static sluice.snapshotter.image.FakeRegistry.on;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;
import sluice.core.Bytes;
import sluice.core.ChainId;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.FetchException;
import sluice.core.ImageReference;
import sluice.core.IndexOrigin.Binding;
import sluice.erofs.DirectoryWalk;
import sluice.snapshotter.signature.Signatures;
import sluice.snapshotter.state.CommittedLayer;
import sluice.snapshotter.state.FallbackKind;
import sluice.snapshotter.state.LayerRequest;
import sluice.snapshotter.state.LazyLayer;
import sluice.snapshotter.state.LazyLayers;
import sluice.snapshotter.state.LazyLayers.Needed;
import sluice.snapshotter.state.LazyLayers.Outcome;
import sluice.snapshotter.state.LazyRun;
import sluice.snapshotter.state.Usage;

final class ImageLibraryTest {

  private static final String CRI = "containerd.io/snapshot/cri.";

  private final Path root;
  private final FakeRegistry registry = new FakeRegistry();
  private final FakeDevices devices = new FakeDevices();
  private final FakeFormat format = new FakeFormat("fake");

  /** Has one tree for all layers of an image; its variants stand beside images of the other. */
  private final FakeFormat variants = new FakeFormat("variant");

  private final IndexedFormat indexed = new IndexedFormat(Binding.IMAGE);

  private final FakeMounter mounter = new FakeMounter();
  private final ExecutorService workers = Executors.newVirtualThreadPerTaskExecutor();
  private Duration limit = Duration.ofSeconds(10);
  private TrustPolicy trust = new TrustPolicy.Allow();
  private final ManualClock clock = new ManualClock();
  private LayerLibrary layers;
  private LazyLayers library;

  ImageLibraryTest(@TempDir Path root) throws IOException {
    this.root = root;
    indexed.there(false);
    layers = openLayers();
    library = open();
  }

  @AfterEach
  void stop() {
    workers.shutdownNow();
  }

  private LayerLibrary openLayers() throws IOException {
    return LayerLibrary.open(
        root.resolve("layers"),
        new LayerChoice(
            List.of(variants, indexed, format),
            new ConfiguredTrust(
                trust,
                new TrustPolicy.Deny(),
                new TrustPolicy.Deny(),
                new Signatures(registry, clock)),
            RejectedIndexes.open(root.resolve("rejected.json")),
            variants::isVariant),
        devices,
        new LayerLibrary.Settings(4, Set.of()),
        workers);
  }

  private LazyLayers open() throws IOException {
    layers = openLayers();
    return ImageLibrary.open(
        new ImageLibrary.Settings(root, AMD64, limit),
        new ImageLibrary.Ports(
            registry,
            LocalContent.NONE,
            devices,
            mounter,
            ImageLibraryTest::noneUnpacked,
            workers,
            clock),
        layers);
  }

  private static DirectoryWalk.Walked noneUnpacked(Path root, Bytes path) {
    throw new AssertionError(
        "no layer is unpacked here, but %s/%s is asked for".formatted(root, path));
  }

  /** An image, as containerd prepares it. */
  private final class Image {
    private final ImageReference reference;
    private final List<Descriptor> layers;
    private final Descriptor manifest;
    private final List<Digest> chain;

    Image(String tag, Descriptor manifest, Descriptor target, Descriptor... layers) {
      this.reference = registry.tag(tag, target);
      this.layers = List.of(layers);
      this.manifest = manifest;
      this.chain = ChainId.ofAll(this.layers.stream().map(FakeRegistry::diffId).toList());
    }

    LayerRequest request(int position, List<CommittedLayer> below) {
      return new LayerRequest(
          "sluice",
          "default",
          chain.get(position),
          below,
          Map.of(
              CRI + "image-ref", reference.toString(),
              CRI + "manifest-digest", manifest.digest().toString(),
              CRI + "layer-digest", layers.get(position).digest().toString(),
              CRI + "image-layers", digests(position)));
    }

    private String digests(int from) {
      return layers.subList(from, layers.size()).stream()
          .map(layer -> layer.digest().toString())
          .collect(Collectors.joining(","));
    }

    /** Prepares all layers, which must be lazy. */
    List<LazyLayer> prepare() throws InterruptedException {
      return prepare(0, List.of());
    }

    List<LazyLayer> prepare(int from, List<LazyLayer> known) throws InterruptedException {
      List<LazyLayer> run = new ArrayList<>(known);
      for (int at = from; at < layers.size(); at++) {
        List<CommittedLayer> below = new ArrayList<>();
        run.forEach(lazy -> below.add(new CommittedLayer.Lazy(lazy)));
        run.add(lazy(library.prepare(request(at, below))));
      }
      return run;
    }
  }

  private Image image(String tag, Descriptor... layers) {
    Descriptor manifest = registry.manifest(AMD64, layers);
    return new Image(tag, manifest, manifest, layers);
  }

  private static LazyLayer lazy(Outcome outcome) {
    if (!(outcome instanceof Outcome.Lazy(LazyLayer layer, LazyLayers.Pin pin))) {
      throw new AssertionError(outcome);
    }
    pin.close();
    return layer;
  }

  /** Where the limit is short: what is there already may still come too late on a busy machine. */
  private void lazyInTheEnd(Image image) throws InterruptedException {
    Outcome outcome = library.prepare(image.request(0, List.of()));
    for (int i = 0; i < 100 && outcome instanceof Outcome.Fallback(var kind, var reason); i++) {
      assertThat(kind).as(reason).isEqualTo(FallbackKind.TIMEOUT);
      outcome = library.prepare(image.request(0, List.of()));
    }
    lazy(outcome);
  }

  private static Outcome.Fallback fallback(Outcome outcome) {
    if (!(outcome instanceof Outcome.Fallback fallback)) {
      throw new AssertionError(outcome);
    }
    return fallback;
  }

  private Path mount(List<LazyLayer> run) throws IOException, InterruptedException {
    return mount(new LazyRun(List.of(), run));
  }

  private Path mount(LazyRun run) throws IOException, InterruptedException {
    LazyLayers.Rootfs rootfs = library.mount(run);
    rootfs.pin().close();
    return rootfs.lower();
  }

  private boolean shows(Path lower, Descriptor layer) throws IOException {
    assertThat(lower).hasFileName("fs");
    Path image = mounter.images.get(Objects.requireNonNull(lower.getParent()));
    if (image == null) {
      throw new AssertionError("not mounted: " + lower);
    }
    return FakeTrees.shows(image, layer);
  }

  private void retain(Set<LazyLayer> committed, Set<LazyRun> mounted) throws IOException {
    library.retain(() -> new Needed(committed, mounted));
  }

  private Set<String> files(String directory) throws IOException {
    if (!Files.isDirectory(root.resolve(directory))) {
      return Set.of();
    }
    try (Stream<Path> files = Files.list(root.resolve(directory))) {
      return new HashSet<>(files.map(file -> file.getFileName().toString()).toList());
    }
  }

  private void await(String directory, int files) throws IOException, InterruptedException {
    for (int i = 0; i < 2000 && finished(directory) < files; i++) {
      Thread.sleep(5);
    }
    assertThat(finished(directory)).isGreaterThanOrEqualTo(files);
  }

  private long finished(String directory) throws IOException {
    return files(directory).stream().filter(name -> !name.startsWith(".new-")).count();
  }

  @Test
  void prepare_everyLayer_isLazyAndShown() throws Exception {
    Image image = image("a", layer("fake/tree", "1"), layer("fake/stream", "2"));

    List<LazyLayer> run = image.prepare();

    assertThat(run).extracting(LazyLayer::chainId).isEqualTo(image.chain);
    assertThat(run).extracting(LazyLayer::format).containsOnly("fake");
    Path lower = mount(run);
    assertThat(shows(lower, image.layers.get(0))).isTrue();
    assertThat(shows(lower, image.layers.get(1))).isTrue();
  }

  @Test
  void prepare_manyLayersToStream_areBegunByTheFirst() throws Exception {
    Image image = image("a", layer("fake/stream", "1"), layer("fake/stream", "2"));
    CountDownLatch gate = format.hold();

    Future<Outcome> first = workers.submit(() -> library.prepare(image.request(0, List.of())));
    for (int i = 0; i < 2000 && format.running.get() < 2; i++) {
      Thread.sleep(5);
    }

    assertThat(format.running).hasValue(2);
    gate.countDown();
    lazy(first.get());
    image.prepare();
    assertThat(format.indexed).hasValue(2);
  }

  @Test
  void prepare_lastLayer_mergesAhead() throws Exception {
    image("a", layer("fake/tree", "1"), layer("fake/tree", "2")).prepare();

    await("chains", 2);
    assertThat(mounter.mounts).hasValue(0);
  }

  @Test
  void prepare_indexTooSlow_fallsBackAndALaterCallJoins() throws Exception {
    limit = Duration.ofMillis(100);
    library = open();
    Image image = image("a", layer("fake/tree", "1"));
    CountDownLatch gate = format.hold();

    assertThat(fallback(library.prepare(image.request(0, List.of()))).kind())
        .isEqualTo(FallbackKind.TIMEOUT);

    gate.countDown();
    lazyInTheEnd(image);
    assertThat(format.indexed).hasValue(1);
  }

  @Test
  void prepare_indexTooSlow_whatItBeganIsKeptForALaterCall() throws Exception {
    limit = Duration.ofMillis(100);
    library = open();
    Image image = image("a", layer("fake/tree", "1"));
    CountDownLatch gate = format.hold();
    fallback(library.prepare(image.request(0, List.of())));
    gate.countDown();
    await("layers", 1);

    retain(Set.of(), Set.of());

    lazyInTheEnd(image);
    assertThat(format.indexed).hasValue(1);
    await("chains", 2);
    retain(Set.of(), Set.of());
    assertThat(files("layers")).isEmpty();
  }

  @Test
  void prepare_registryHangs_fallsBack() throws Exception {
    limit = Duration.ofMillis(100);
    library = open();
    Image image = image("a", layer("fake/tree", "1"));
    CountDownLatch gate = registry.hang();

    assertThat(fallback(library.prepare(image.request(0, List.of()))).kind())
        .isEqualTo(FallbackKind.TIMEOUT);
    gate.countDown();
  }

  @Test
  void prepare_whatGoesWrong_isTheKindOfFallback() throws Exception {
    Image refused = image("r", layer("fake/refused", "r"));
    Outcome.Fallback why = fallback(library.prepare(refused.request(0, List.of())));
    assertThat(why.kind()).isEqualTo(FallbackKind.UNSUPPORTED);
    assertThat(why.reason()).contains("fake: it is of no use");

    Image image = image("a", layer("fake/tree", "1"));
    format.fail(new FetchException("down", FetchException.Reason.UNREACHABLE, 0, null));
    assertThat(fallback(library.prepare(image.request(0, List.of()))).kind())
        .isEqualTo(FallbackKind.REGISTRY);
    format.fail(new CorruptException("bad", "layer", 0));
    assertThat(fallback(library.prepare(image.request(0, List.of()))).kind())
        .isEqualTo(FallbackKind.CORRUPT);

    LayerRequest unnamed =
        new LayerRequest("sluice", "", image.chain.getFirst(), List.of(), Map.of());
    assertThat(fallback(library.prepare(unnamed)).kind()).isEqualTo(FallbackKind.NOT_NAMED);
    LayerRequest foreign =
        new LayerRequest(
            "sluice",
            "",
            refused.chain.getFirst(),
            List.of(),
            image.request(0, List.of()).labels());
    assertThat(fallback(library.prepare(foreign)).reason()).contains("has the chain ID");
  }

  @Test
  void prepare_dataLayers_waitForTheTreeAbove() throws Exception {
    Image image = image("a", layer("variant/data", "1"), layer("variant/image", "2"));

    List<LazyLayer> run = image.prepare();

    assertThat(shows(mount(run), image.layers.get(1))).isTrue();
    format.fail(new CorruptException("no header", "tar", 0));
    assertThatThrownBy(() -> mount(run.subList(0, 1)))
        .hasMessageContaining("holds only data for a variant tree")
        .hasMessageContaining("no header");
    Image alone = image("b", layer("variant/data", "3"));
    assertThat(fallback(library.prepare(alone.request(0, List.of()))).kind())
        .isEqualTo(FallbackKind.UNSUPPORTED);
    Image broken = image("c", layer("variant/data", "4"), layer("variant/image", "5"));
    variants.fail(new CorruptException("bad", "layer", 0));
    assertThat(fallback(library.prepare(broken.request(0, List.of()))).kind())
        .isEqualTo(FallbackKind.CORRUPT);
  }

  /** To say so of the uncompressed layer of another image takes no more than a descriptor. */
  @Test
  void mount_layerThatAnotherImageCallsData_isShownAsTheTarItIs() throws Exception {
    Image hostile = image("h", layer("variant/data", "base"), layer("variant/image", "t"));
    LazyLayer data = hostile.prepare().getFirst();
    registry.delete(hostile.manifest);
    Image victim = image("v", layer(FakeFormat.TAR, "base"), layer("fake/stream", "own"));

    Path lower = mount(victim.prepare(1, List.of(data)));

    assertThat(victim.chain).startsWith(data.chainId());
    for (Descriptor layer : victim.layers) {
      assertThat(shows(lower, layer)).isTrue();
    }
    assertThat(shows(mount(List.of(data)), victim.layers.getFirst())).isTrue();
  }

  /** An index with the image's RAFS variant. */
  private Image withVariant(String tag, Descriptor tree, Descriptor... layers) {
    Descriptor manifest = registry.manifest(AMD64, layers);
    Descriptor variant = registry.manifest(AMD64, tree);
    Descriptor index =
        registry.index(on(AMD64, manifest), marked(variant, AMD64, variants.variantType()));
    return new Image(tag, manifest, index, layers);
  }

  @Test
  void prepare_rafsVariant_isShownAndNoLayerStreamed() throws Exception {
    Descriptor tree = layer("variant/image", "tree");
    Image image = withVariant("a", tree, layer("fake/stream", "1"), layer("fake/stream", "2"));

    List<LazyLayer> run = image.prepare();

    assertThat(variants.indexed).hasValue(1);
    assertThat(shows(mount(run), tree)).isTrue();
    assertThat(variants.indexed).hasValue(1);
    assertThat(format.indexed).hasValue(0);
  }

  @Test
  void mount_secondImageOnLayersOfAVariant_streamsThem() throws Exception {
    Descriptor tree = layer("variant/image", "tree");
    Descriptor base = layer("fake/stream", "base");
    List<LazyLayer> first = withVariant("a", tree, base, layer("fake/stream", "2")).prepare();
    Descriptor own = layer("fake/stream", "own");
    Image second = image("b", base, own);

    List<LazyLayer> run = second.prepare(1, List.of(first.getFirst()));

    Path lower = mount(run);
    assertThat(shows(lower, base)).isTrue();
    assertThat(shows(lower, own)).isTrue();
    assertThat(shows(lower, tree)).isFalse();

    registry.hang();
    assertThat(workers.submit(() -> mount(run)).get(10, TimeUnit.SECONDS)).isEqualTo(lower);
    library = open();
    assertThat(workers.submit(() -> mount(run)).get(10, TimeUnit.SECONDS)).isEqualTo(lower);
    assertThat(format.indexed).hasValue(2);
  }

  /** A tree that nobody compared yet is another image's only if its manifest says so. */
  @Test
  void mount_secondImageOnIndexedLayersOfAVariant_asksForTheirManifestOnce() throws Exception {
    Descriptor base = layer("fake/stream", "base");
    List<LazyLayer> first =
        withVariant("a", layer("variant/image", "tree"), base, layer("fake/stream", "2")).prepare();
    indexed.there(true);
    List<LazyLayer> run =
        image("b", base, layer("fake/stream", "own")).prepare(1, List.of(first.getFirst()));
    Path lower = mount(run);
    assertThat(files("layers")).noneMatch(name -> name.startsWith("fake_"));

    registry.hang();
    assertThat(workers.submit(() -> mount(run)).get(10, TimeUnit.SECONDS)).isEqualTo(lower);
  }

  @Test
  void mount_secondImageOnAVariantThatWasDeleted_streamsItsLayers() throws Exception {
    Descriptor base = layer("fake/stream", "base");
    Image first = withVariant("a", layer("variant/image", "tree"), base, layer("fake/stream", "2"));
    List<LazyLayer> known = first.prepare();
    Image second = image("b", base, layer("fake/stream", "own"));
    registry.delete(first.manifest);

    Path lower = mount(second.prepare(1, List.of(known.getFirst())));

    for (Descriptor layer : second.layers) {
      assertThat(shows(lower, layer)).isTrue();
    }
  }

  /** containerd finds all of its layers committed, and prepares none of them. */
  @Test
  void named_imageOfLayersOfAVariantOnly_isStreamedWhenItIsPulled() throws Exception {
    Descriptor base = layer("fake/stream", "base");
    Image first = withVariant("a", layer("variant/image", "tree"), base, layer("fake/stream", "2"));
    List<LazyLayer> known = first.prepare();
    Image second = image("b", base);

    library.named(known.getFirst(), second.request(0, List.of()));

    await("layers", 2);
    library.named(
        known.getLast(), first.request(1, List.of(new CommittedLayer.Lazy(known.getFirst()))));
    registry.hang();
    Path lower = workers.submit(() -> mount(known.subList(0, 1))).get(10, TimeUnit.SECONDS);
    assertThat(shows(lower, base)).isTrue();
    assertThat(format.indexed).hasValue(1);
  }

  /** As under two names of one snapshotter: to each the tree that was prepared under it. */
  @Test
  void mount_variantOfAStreamedChain_isShownToItsOwnSnapshotOnly() throws Exception {
    Descriptor own = layer("fake/stream", "1");
    Descriptor tree = layer("variant/image", "tree");
    List<LazyLayer> streamed = image("a", own).prepare();
    List<LazyLayer> claimed = withVariant("b", tree, own).prepare();
    assertThat(claimed.getFirst().chainId()).isEqualTo(streamed.getFirst().chainId());

    Path lower = mount(streamed);
    assertThat(shows(lower, own)).isTrue();
    assertThat(shows(lower, tree)).isFalse();
    assertThat(shows(mount(claimed), tree)).isTrue();

    await("chains", 4);
    retain(Set.copyOf(streamed), Set.of());
    assertThat(files("layers")).containsExactly("fake_sha256_" + own.digest().hex());
  }

  @Test
  void mount_treeOfAVariantLost_makesTheLayers() throws Exception {
    Descriptor tree = layer("variant/image", "tree");
    Image image = withVariant("a", tree, layer("fake/stream", "1"), layer("fake/stream", "2"));
    List<LazyLayer> run = image.prepare();
    await("chains", 2);
    DurableFiles.deleteTree(root.resolve("layers/variant_sha256_" + tree.digest().hex()));
    library = open();

    Path lower = mount(run);

    assertThat(shows(lower, tree)).isFalse();
    for (Descriptor layer : image.layers) {
      assertThat(shows(lower, layer)).isTrue();
    }
    assertThat(layers.claims().open()).isEmpty();
  }

  /** Its own image may be removed, or never be mounted again. */
  @Test
  void mount_imageOnAVariantAfterARestart_hasTheVariantCompared() throws Exception {
    Descriptor tree = layer("variant/image", "tree");
    Descriptor one = layer("fake/stream", "1");
    Descriptor two = layer("fake/stream", "2");
    List<LazyLayer> below = withVariant("a", tree, one, two).prepare();
    Image above = image("b", one, two, layer("fake/stream", "3"));
    List<LazyLayer> run = above.prepare(2, below);
    await("chains", 4);
    library = open();
    assertThat(layers.claims().open()).isEmpty();

    assertThat(shows(mount(run), tree)).isTrue();

    LayerKey claim = LayerKey.ofVariant("variant", tree.digest(), below.getLast().chainId());
    assertThat(layers.claims().open())
        .singleElement()
        .satisfies(open -> {
          assertThat(open.key()).isEqualTo(claim);
          assertThat(Objects.requireNonNull(open.claim()).layers())
              .extracting(KeptLayer.Held::layer)
              .containsExactly(one, two);
        });
    layers.claims().lying(layers.claims().open().getFirst(), "it shows another file");
    assertThatThrownBy(() -> mount(run)).hasMessageContaining("does not show what it holds");
  }

  @Test
  void prepare_variantNotTrusted_streamsTheLayers() throws Exception {
    trust = new TrustPolicy.Named(Set.of("other.example"), List.of());
    library = open();
    Descriptor own = layer("fake/stream", "1");

    List<LazyLayer> run = withVariant("a", layer("variant/image", "tree"), own).prepare();

    assertThat(shows(mount(run), own)).isTrue();
  }

  @Test
  void mount_sameChainTwice_isOneMount() throws Exception {
    Image one = image("a", layer("fake/tree", "1"));
    Image other = image("b", layer("fake/tree", "1"));

    assertThat(mount(one.prepare())).isEqualTo(mount(other.prepare()));
    assertThat(mounter.mounts).hasValue(1);
  }

  @Test
  void mount_afterSomebodyEndedIt_isMadeAgain() throws Exception {
    List<LazyLayer> run = image("a", layer("fake/tree", "1")).prepare();
    mount(run);

    mounter.images.clear();
    mount(run);

    assertThat(mounter.mounts).hasValue(2);
    assertThat(mounter.images).hasSize(1);
  }

  @Test
  void mount_layersLost_makesThemAgain() throws Exception {
    Image image = image("a", layer("fake/tree", "1"), layer("fake/stream", "2"));
    List<LazyLayer> run = image.prepare();
    await("chains", 2);
    DurableFiles.deleteTree(root.resolve("layers"));
    DurableFiles.deleteTree(root.resolve("chains"));
    devices.devices.clear();
    library = open();

    assertThat(shows(mount(run), image.layers.getFirst())).isTrue();
  }

  @Test
  void restore_needsNoRegistry() throws Exception {
    List<LazyLayer> run = image("a", layer("fake/tree", "1")).prepare();
    List<LazyLayer> broken = image("b", layer("fake/tree", "2")).prepare();
    await("chains", 4);
    Files.delete(
        root.resolve("layers/fake_sha256_" + broken.getFirst().layer().digest().hex())
            .resolve("tree.erofs"));
    CountDownLatch gate = registry.hang();
    library = open();

    library.restore(
        new Needed(Set.of(), Set.of(new LazyRun(List.of(), broken), new LazyRun(List.of(), run))));

    for (int i = 0; i < 2000 && mounter.images.isEmpty(); i++) {
      Thread.sleep(5);
    }
    assertThat(mounter.images).hasSize(1);
    gate.countDown();
  }

  @Test
  void restore_whenTheDaemonStops_isNoError() throws Exception {
    List<LazyLayer> run = image("a", layer("fake/tree", "1")).prepare();
    await("chains", 1);
    DurableFiles.deleteTree(root.resolve("layers"));
    DurableFiles.deleteTree(root.resolve("chains"));
    library = open();
    registry.hang();
    int before = registry.asked.size();
    Logger logger = (Logger) LoggerFactory.getLogger(ImageLibrary.class);
    ListAppender<ILoggingEvent> logged = new ListAppender<>();
    logged.start();
    logger.setLevel(Level.DEBUG);
    logger.addAppender(logged);
    try {
      library.restore(new Needed(Set.of(), Set.of(new LazyRun(List.of(), run))));
      for (int i = 0; i < 2000 && registry.asked.size() == before; i++) {
        Thread.sleep(5);
      }
      workers.shutdownNow();
      assertThat(workers.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
    } finally {
      logger.detachAppender(logged);
      logger.setLevel(null);
    }
    assertThat(logged.list)
        .filteredOn(event -> event.getMessage().contains("is not mounted again"))
        .extracting(ILoggingEvent::getLevel)
        .containsExactly(Level.DEBUG);
    assertThat(mounter.images).isEmpty();
  }

  @Test
  void retain_nothingNeeded_leavesNothing() throws Exception {
    Image image = withVariant("a", layer("variant/image", "t"), layer("fake/stream", "1"));
    List<LazyLayer> run = image.prepare();
    mount(run);
    await("chains", 2);

    retain(Set.copyOf(run), Set.of(new LazyRun(List.of(), run)));
    assertThat(mounter.images).hasSize(1);
    assertThat(devices.devices).hasSize(1);

    retain(Set.of(), Set.of());
    assertThat(mounter.images).isEmpty();
    assertThat(devices.devices).isEmpty();
    for (String directory : List.of("layers", "chains", "m")) {
      assertThat(files(directory)).as(directory).isEmpty();
    }
  }

  @Test
  void retain_imageWithoutContainer_staysUnmountedButWhole() throws Exception {
    List<LazyLayer> run = image("a", layer("fake/tree", "1")).prepare();
    List<LazyLayer> gone = image("b", layer("fake/tree", "2")).prepare();
    mount(run);
    mount(gone);
    await("chains", 4);

    retain(Set.copyOf(run), Set.of());

    assertThat(mounter.images).isEmpty();
    assertThat(files("layers")).hasSize(1);
    assertThat(files("chains")).hasSize(2);
    assertThat(devices.devices).hasSize(1);
    assertThat(format.indexed).hasValue(2);
    mount(run);
    assertThat(format.indexed).hasValue(2);
  }

  @Test
  void retain_pullThatWasGivenUp_keepsWhatItBegan_forTenMinutes() throws Exception {
    Image image =
        image("a", layer("fake/stream", "1"), layer("fake/stream", "2"), layer("fake/stream", "3"));
    LazyLayer first = lazy(library.prepare(image.request(0, List.of())));
    await("layers", 3);

    clock.advance(Duration.ofMinutes(9));
    retain(Set.of(first), Set.of());
    assertThat(files("layers")).hasSize(3);

    clock.advance(Duration.ofMinutes(2));
    retain(Set.of(first), Set.of());
    assertThat(files("layers")).hasSize(1);
    retain(Set.of(), Set.of());
    assertThat(files("layers")).isEmpty();
    assertThat(devices.devices).isEmpty();

    List<LazyLayer> again = image.prepare();
    assertThat(shows(mount(again), image.layers.getLast())).isTrue();
  }

  @Test
  void retain_pinnedMeanwhile_stays() throws Exception {
    Image image = image("a", layer("fake/tree", "1"));
    if (!(library.prepare(image.request(0, List.of()))
        instanceof Outcome.Lazy(LazyLayer layer, LazyLayers.Pin pin))) {
      throw new AssertionError("not lazy");
    }
    await("chains", 2);

    retain(Set.of(), Set.of());
    assertThat(files("layers")).hasSize(1);

    library.retain(() -> {
      pin.close();
      return new Needed(Set.of(), Set.of());
    });
    retain(Set.of(), Set.of());
    assertThat(files("layers")).isEmpty();
    assertThat(layer.format()).isEqualTo("fake");
  }

  @Test
  void retain_unmountTakesLong_othersArePreparedAndMounted() throws Exception {
    Image image = image("a", layer("fake/tree", "1"));
    List<LazyLayer> gone = image.prepare();
    mount(gone);
    CountDownLatch gate = mounter.unmounting.close();
    Future<Boolean> sweep =
        workers.submit(() -> {
          retain(Set.of(), Set.of());
          return true;
        });
    mounter.unmounting.awaitSomebody();

    Future<Path> other = workers.submit(() -> mount(image("b", layer("fake/tree", "2")).prepare()));
    assertThat(other.get(10, TimeUnit.SECONDS)).hasFileName("fs");
    Future<Path> same = workers.submit(() -> mount(gone));

    assertThat(sweep.isDone()).isFalse();
    assertThat(same.isDone()).isFalse();
    gate.countDown();
    assertThat(sweep.get()).isTrue();
    assertThat(shows(same.get(), image.layers.getFirst())).isTrue();
    assertThat(mounter.images).hasSize(2);
  }

  @Test
  void retain_someCannotBeDeleted_deletesTheRestAndSaysSo() throws Exception {
    for (String tag : List.of("a", "b", "c")) {
      Path lower = mount(image(tag, layer("fake/tree", tag)).prepare());
      if (!tag.equals("c")) {
        mounter.failToUnmount(Objects.requireNonNull(lower.getParent()));
      }
    }
    await("chains", 6);

    assertThatThrownBy(() -> retain(Set.of(), Set.of()))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("2 deletions")
        .hasMessageContaining("stuck")
        .satisfies(failure -> assertThat(failure.getSuppressed()).hasSize(1));

    assertThat(mounter.images).hasSize(2);
    assertThat(files("layers")).isEmpty();
    assertThat(files("chains")).isEmpty();
    assertThat(devices.devices).isEmpty();
  }

  /**
   * A layer that is kept but not needed is prepared again, and a sweep comes between the look into
   * the library and the row.
   */
  private void sweepWhilePrepared(Image image) throws Exception {
    image.prepare();
    await("chains", 2);
    library = open();
    CountDownLatch gate = devices.adding.close();
    Future<Outcome> preparing = workers.submit(() -> library.prepare(image.request(0, List.of())));
    devices.adding.awaitSomebody();

    retain(Set.of(), Set.of());

    gate.countDown();
    if (!(preparing.get() instanceof Outcome.Lazy(LazyLayer layer, LazyLayers.Pin pin))) {
      throw new AssertionError("not lazy");
    }
    retain(Set.of(), Set.of());
    assertThat(files("layers")).hasSize(1);
    assertThat(devices.devices).hasSize(1);
    retain(Set.of(layer), Set.of());
    pin.close();
    FakeFormat indexing = layer.imageTree() == null ? format : variants;
    assertThat(indexing.indexed).hasValue(1);
    assertThat(shows(mount(List.of(layer)), image.layers.getFirst())).isEqualTo(indexing == format);
    assertThat(indexing.indexed).hasValue(1);
  }

  @Test
  void retain_whileAKeptLayerIsPrepared_keepsIt() throws Exception {
    sweepWhilePrepared(image("a", layer("fake/tree", "1")));
  }

  @Test
  void retain_whileAKeptVariantIsPrepared_keepsIt() throws Exception {
    sweepWhilePrepared(withVariant("a", layer("variant/image", "tree"), layer("fake/stream", "1")));
  }

  @Test
  void usage_sharedDevice_isCountedOnce() throws Exception {
    Descriptor shared = layer("fake/tree", "shared");
    LazyLayer low = image("a", shared).prepare().getFirst();
    List<LazyLayer> high = image("b", layer("fake/tree", "below"), shared).prepare();

    Usage first = library.usage(low);
    Usage second = library.usage(high.get(1));

    assertThat(first.inodes()).isEqualTo(2);
    assertThat(second.inodes()).isEqualTo(1);
    assertThat(first.sizeBytes() - second.sizeBytes()).isEqualTo(FakeDevices.OCCUPIED);
  }
}

package sluice.snapshotter.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static sluice.snapshotter.image.FakeRegistry.diffId;
import static sluice.snapshotter.image.FakeRegistry.layer;
import static sluice.snapshotter.image.LoneLayers.HERE;
import static sluice.snapshotter.image.LoneLayers.THERE;
import static sluice.snapshotter.image.LoneLayers.alone;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.FetchException;
import sluice.core.IndexTrust;
import sluice.core.LayerFormat;

final class LayerLibraryTest {

  private static final Digest NOTHING = diffId(layer("none", "nothing"));

  @TempDir private Path directory = Path.of("");
  private final FakeDevices devices = new FakeDevices();
  private final FakeFormat format = new FakeFormat("fake");
  private final ExecutorService workers = Executors.newVirtualThreadPerTaskExecutor();

  @AfterEach
  void stop() {
    workers.shutdownNow();
  }

  private LayerLibrary open(Digest... refused) throws IOException {
    return LayerLibrary.open(
        directory,
        new LayerChoice(
            List.of(new FakeFormat("first"), format),
            IndexTrust.PINNED,
            RejectedIndexes.open(directory.resolve("rejected.json")),
            format::isVariant),
        devices,
        new LayerLibrary.Settings(2, Set.of(refused)),
        workers);
  }

  private static KeptLayer make(LayerLibrary library, LayerFormat.Layer layer)
      throws IOException, InterruptedException {
    if (!(library.planner().plan(layer) instanceof LayerPlan.Indexable plan)) {
      throw new AssertionError("not indexable: " + library.planner().plan(layer));
    }
    return library.await(library.make(layer, plan), layer);
  }

  private List<String> leftovers() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(f -> f.getFileName().toString()).filter(n -> n.startsWith(".")).toList();
    }
  }

  @Test
  void make_thenOpenedAgain_isKept() throws Exception {
    LayerFormat.Layer layer = alone(layer("fake/image", "a"));

    KeptLayer made = make(open(), layer);

    assertThat(made.wholeImage()).isTrue();
    assertThat(made.hints()).hasSize(1);
    assertThat(open().planner().plan(layer)).isEqualTo(new LayerPlan.Kept(made));
    assertThat(format.indexed).hasValue(1);
    assertThat(leftovers()).isEmpty();
  }

  @Test
  void make_askedByMany_isDoneOnce() throws Exception {
    LayerLibrary library = open();
    LayerFormat.Layer layer = alone(layer("fake/tree", "a"));
    CountDownLatch gate = format.hold();
    List<Future<KeptLayer>> askers = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      askers.add(workers.submit(() -> make(library, layer)));
    }

    gate.countDown();

    for (Future<KeptLayer> asker : askers) {
      assertThat(asker.get().diffId()).isEqualTo(layer.diffId());
    }
    assertThat(format.indexed).hasValue(1);
  }

  @Test
  void make_callerGivesUp_workGoesOn() throws Exception {
    LayerLibrary library = open();
    LayerFormat.Layer layer = alone(layer("fake/stream", "a"));
    CountDownLatch gate = format.hold();
    Future<KeptLayer> caller = workers.submit(() -> make(library, layer));
    while (format.running.get() == 0) {
      Thread.sleep(1);
    }

    caller.cancel(true);
    gate.countDown();

    assertThat(make(library, layer).diffId()).isEqualTo(layer.diffId());
    assertThat(format.indexed).hasValue(1);
  }

  @Test
  void make_manyStreams_areBounded() throws Exception {
    LayerLibrary library = open();
    List<Future<KeptLayer>> all = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      LayerFormat.Layer layer = alone(layer("fake/stream", "layer " + i));
      all.add(workers.submit(() -> make(library, layer)));
    }
    for (Future<KeptLayer> one : all) {
      one.get();
    }

    assertThat(format.mostRunning.get()).isBetween(1, 2);
  }

  @Test
  void make_failed_leavesNothingAndIsTriedAgain() throws Exception {
    LayerLibrary library = open();
    LayerFormat.Layer layer = alone(layer("fake/tree", "a"));
    format.fail(new FetchException("down", FetchException.Reason.UNREACHABLE, 0, null));

    assertThatThrownBy(() -> make(library, layer)).isInstanceOf(FetchException.class);
    assertThat(leftovers()).isEmpty();

    format.fail(null);
    assertThat(make(library, layer).devices()).hasSize(1);
  }

  @Test
  void open_afterCrash_removesTheUnfinished() throws Exception {
    Path unfinished = Files.createDirectories(directory.resolve(".new-123"));
    Files.writeString(unfinished.resolve("tree.erofs"), "half");

    open();

    assertThat(unfinished).doesNotExist();
  }

  @Test
  void plan_anotherDiffIdForAKeptLayer_isCorrupt() throws Exception {
    LayerLibrary library = open();
    Descriptor descriptor = layer("fake/tree", "a");
    make(library, alone(descriptor));

    assertThatThrownBy(() -> library.planner().plan(alone(descriptor, NOTHING, THERE)))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("diff ID " + NOTHING);
  }

  @Test
  void plan_keptLayerOfAnotherRepository_addsTheHolder() throws Exception {
    LayerLibrary library = open();
    Descriptor descriptor = layer("fake/tree", "a");
    make(library, alone(descriptor));

    library.planner().plan(alone(descriptor, diffId(descriptor), THERE));

    assertThat(devices.devices.values()).containsExactly(Set.of(HERE, THERE));
  }

  @Test
  void plan_deviceLost_makesTheLayerAnew() throws Exception {
    LayerFormat.Layer layer = alone(layer("fake/tree", "a"));
    make(open(), layer);
    devices.devices.clear();

    LayerLibrary library = open();

    assertThat(library.planner().plan(layer)).isInstanceOf(LayerPlan.Indexable.class);
    assertThat(make(library, layer).devices()).allMatch(devices.devices::containsKey);
  }

  @Test
  void plan_brokenRecord_makesTheLayerAnew() throws Exception {
    LayerFormat.Layer layer = alone(layer("fake/tree", "a"));
    KeptLayer kept = make(open(), layer);
    for (String broken :
        List.of("", "{", "{\"version\":9}", "{\"version\":1,\"devices\":[\"x\"]}")) {
      Files.writeString(kept.metadataImage().resolveSibling("layer.json"), broken);

      assertThat(open().planner().plan(layer)).isInstanceOf(LayerPlan.Indexable.class);
    }
  }

  /** What an earlier version kept, when every tree was vouched for by its layer. */
  @Test
  void plan_recordWithoutClaims_isKept() throws Exception {
    LayerFormat.Layer layer = alone(layer("fake/tree", "a"));
    KeptLayer kept = make(open(), layer);
    Path record = kept.metadataImage().resolveSibling("layer.json");
    String before =
        Files.readString(record)
            .replace("\"version\":2", "\"version\":1")
            .replace(",\"claims\":[]", "");
    assertThat(before).contains("\"version\":1").doesNotContain("claims");
    Files.writeString(record, before);

    assertThat(open().planner().plan(layer)).isEqualTo(new LayerPlan.Kept(kept));
  }

  /** Its devices are somebody's, who knows more than we do. */
  @Test
  void sweepDevices_recordOfALaterVersion_deletesNothing() throws Exception {
    LayerLibrary library = open();
    KeptLayer kept = make(library, alone(layer("fake/tree", "a")));
    Path record = kept.metadataImage().resolveSibling("layer.json");
    Files.writeString(record, Files.readString(record).replace("\"version\":2", "\"version\":3"));

    assertThatThrownBy(open()::sweepDevices).hasMessageContaining("version 3");
    assertThat(devices.devices).containsKeys(kept.devices().getFirst());
  }

  @Test
  void plan_nobodyServesIt_givesEveryReason() throws Exception {
    assertThat(open().planner().plan(alone(layer("fake/refused", "a"))))
        .isEqualTo(new LayerPlan.Ordinary(List.of("fake: it is of no use")));
    assertThat(open().planner().plan(alone(layer("other/x", "a"))))
        .isEqualTo(new LayerPlan.Ordinary(List.of("no format serves media type other/x")));
  }

  @Test
  void plan_testSwitch_refusesTheLayer() throws Exception {
    Descriptor descriptor = layer("fake/tree", "a");

    assertThat(open(descriptor.digest()).planner().plan(alone(descriptor)))
        .isInstanceOf(LayerPlan.Ordinary.class);
  }

  @Test
  void find_directoryGone_forgetsTheLayer() throws Exception {
    LayerLibrary library = open();
    LayerFormat.Layer layer = alone(layer("fake/tree", "a"));
    KeptLayer kept = make(library, layer);
    DurableFiles.deleteTree(directory.resolve(kept.key().toString()));

    assertThat(library.find(kept.key())).isEmpty();
    assertThat(make(library, layer)).isEqualTo(kept);
    assertThat(format.indexed).hasValue(2);
  }

  /** A layer is deleted between the reading of its record and the opening of its devices. */
  @Test
  void delete_whileTheLayerIsLoaded_leavesNothingOfItInMemory() throws Exception {
    LayerFormat.Layer layer = alone(layer("fake/tree", "a"));
    KeptLayer kept = make(open(), layer);
    LayerLibrary library = open();
    CountDownLatch gate = devices.opening.close();
    Future<Optional<KeptLayer>> finding = workers.submit(() -> library.find(kept.key()));
    devices.opening.awaitSomebody();
    FutureTask<Boolean> deletion = new FutureTask<>(() -> delete(library, kept.key()));
    Thread deleting = Thread.ofPlatform().start(deletion);
    while (deleting.isAlive() && deleting.getState() != Thread.State.WAITING) {
      Thread.sleep(1);
    }

    assertThat(deletion.isDone()).isFalse();
    gate.countDown();

    assertThat(finding.get()).contains(kept);
    assertThat(deletion.get()).isTrue();
    assertThat(library.find(kept.key())).isEmpty();
    assertThat(library.planner().plan(layer)).isInstanceOf(LayerPlan.Indexable.class);
  }

  private static boolean delete(LayerLibrary library, LayerKey key) throws IOException {
    library.delete(Set.of(key));
    return true;
  }

  @Test
  void sweepDevices_keepsThoseOfKeptLayers() throws Exception {
    LayerLibrary library = open();
    KeptLayer kept = make(library, alone(layer("fake/tree", "kept")));
    KeptLayer gone = make(library, alone(layer("fake/tree", "gone")));

    library.delete(Set.of(gone.key()));

    assertThat(library.sweepDevices()).isTrue();
    assertThat(devices.devices.keySet()).containsExactlyElementsOf(kept.devices());
    assertThat(library.keys()).containsExactly(kept.key());
    assertThat(leftovers()).isEmpty();
  }

  @Test
  void sweepDevices_whileALayerIsMade_doesNothing() throws Exception {
    LayerLibrary library = open();
    CountDownLatch gate = format.hold();
    LayerFormat.Layer layer = alone(layer("fake/tree", "a"));
    Future<KeptLayer> making = workers.submit(() -> make(library, layer));
    while (format.running.get() == 0) {
      Thread.sleep(1);
    }

    assertThat(library.sweepDevices()).isFalse();

    gate.countDown();
    assertThat(making.get().devices()).allMatch(devices.devices::containsKey);
  }

  @Test
  void sweepDevices_devicesCannotBeOpened_keepsThem() throws Exception {
    LayerFormat.Layer layer = alone(layer("fake/tree", "a"));
    KeptLayer kept = make(open(), layer);
    for (IOException failure :
        List.of(
            new FileSystemException("chunks", null, "Too many open files"),
            new CorruptException("chunk table", "device", 0))) {
      devices.failToOpen(failure);

      assertThat(open().sweepDevices()).isTrue();

      assertThat(devices.devices.keySet()).containsExactlyElementsOf(kept.devices());
    }
    devices.failToOpen(null);
    assertThat(open().planner().plan(layer)).isEqualTo(new LayerPlan.Kept(kept));
  }

  @Test
  void sweepDevices_recordCannotBeRead_deletesNothingAndSaysSo() throws Exception {
    LayerLibrary library = open();
    make(library, alone(layer("fake/tree", "other")));
    KeptLayer kept = make(library, alone(layer("fake/tree", "a")));
    Path record = kept.metadataImage().resolveSibling("layer.json");
    Files.delete(record);
    Files.createDirectory(record);

    assertThatThrownBy(() -> open().sweepDevices())
        .hasMessageContaining("no device is deleted")
        .hasMessageContaining(kept.key().toString());
    assertThat(devices.devices).hasSize(2);
  }

  @Test
  void sweepDevices_recordLostOrBroken_deletesTheDevices() throws Exception {
    LayerLibrary library = open();
    KeptLayer kept = make(library, alone(layer("fake/tree", "kept")));
    KeptLayer lost = make(library, alone(layer("fake/tree", "lost")));
    KeptLayer broken = make(library, alone(layer("fake/tree", "broken")));
    Files.delete(lost.metadataImage().resolveSibling("layer.json"));
    Files.writeString(broken.metadataImage().resolveSibling("layer.json"), "{");

    assertThat(open().sweepDevices()).isTrue();

    assertThat(devices.devices.keySet()).containsExactlyElementsOf(kept.devices());
  }
}

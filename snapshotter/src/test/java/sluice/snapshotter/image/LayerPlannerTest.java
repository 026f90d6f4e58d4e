package sluice.snapshotter.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static sluice.snapshotter.image.FakeRegistry.layer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import sluice.core.CorruptException;
import sluice.core.Digest;
import sluice.core.FetchException;
import sluice.core.FetchException.Reason;
import sluice.core.IndexOrigin.Binding;
import sluice.core.IndexTrust;
import sluice.core.LayerFormat;

/** What becomes of layers that have an index, and can be streamed as well. */
final class LayerPlannerTest {

  private final CorruptException torn = new CorruptException("torn", "index", 7);

  @TempDir private Path directory = Path.of("");
  private final FakeDevices devices = new FakeDevices();
  private final FakeFormat streaming = new FakeFormat("fake");
  private final IndexedFormat indexed = new IndexedFormat(Binding.IMAGE);
  private final ExecutorService workers = Executors.newVirtualThreadPerTaskExecutor();

  @AfterEach
  void stop() {
    workers.shutdownNow();
  }

  private LayerLibrary open() throws IOException {
    return open(indexed);
  }

  private LayerLibrary open(LayerFormat first) throws IOException {
    return LayerLibrary.open(
        directory,
        new LayerChoice(
            List.of(first, streaming),
            IndexTrust.PINNED,
            RejectedIndexes.open(directory.resolve("rejected.json")),
            streaming::isVariant),
        devices,
        new LayerLibrary.Settings(2, Set.of()),
        workers);
  }

  private static LayerFormat.Layer stream(String text) {
    return LoneLayers.alone(layer("fake/stream", text));
  }

  private static LayerPlan.Indexable indexable(LayerPlan plan) {
    if (!(plan instanceof LayerPlan.Indexable indexable)) {
      throw new AssertionError("not indexable: " + plan);
    }
    return indexable;
  }

  private static KeptLayer make(LayerLibrary library, LayerFormat.Layer layer)
      throws IOException, InterruptedException {
    return library.await(library.make(layer, indexable(library.planner().plan(layer))), layer);
  }

  private static Optional<String> why(LayerLibrary library, LayerFormat.Layer layer) {
    return library.planner().whyStreamed(layer.image().digest(), layer.descriptor().digest());
  }

  private static LayerKey streamed(LayerFormat.Layer layer) {
    return LayerKey.verified("fake", layer.descriptor().digest());
  }

  @Test
  void plan_layerThatStreams_isJoinedThoughItsIndexIsThere() throws Exception {
    LayerLibrary library = open();
    LayerFormat.Layer layer = stream("a");
    indexed.there(false);
    CountDownLatch gate = streaming.hold();
    Future<KeptLayer> making = workers.submit(() -> make(library, layer));
    while (streaming.running.get() == 0) {
      Thread.sleep(1);
    }

    indexed.there(true);
    LayerPlan plan = library.planner().plan(layer);
    gate.countDown();

    assertThat(indexable(plan).key()).isEqualTo(streamed(layer));
    assertThat(making.get().key()).isEqualTo(streamed(layer));
    assertThat(why(library, layer)).contains("no other format in use knows it");
  }

  @Test
  void plan_layerThatStreamsForAnotherImage_saysSo() throws Exception {
    LayerLibrary library = open();
    LayerFormat.Layer layer = stream("a");
    LayerFormat.Layer other =
        LoneLayers.alone(
            layer.descriptor(), layer.diffId(), LoneLayers.HERE, layer("other", "another image"));
    indexed.there(false);
    CountDownLatch gate = streaming.hold();
    Future<KeptLayer> making = workers.submit(() -> make(library, layer));
    while (streaming.running.get() == 0) {
      Thread.sleep(1);
    }

    library.planner().plan(other);
    gate.countDown();
    making.get();

    assertThat(why(library, other)).contains("it streams already, for another image");
    assertThat(why(library, layer)).contains("no other format in use knows it");
  }

  @Test
  void planAfter_indexThatIsTorn_isTheNextFormatsTurnFromThenOn() throws Exception {
    LayerLibrary library = open();
    LayerFormat.Layer layer = stream("a");
    LayerPlan first = library.planner().plan(layer);

    LayerPlan next = library.planner().planAfter(torn, layer, first);

    assertThat(indexable(first).key().format()).isEqualTo("indexed");
    assertThat(indexable(next).key()).isEqualTo(streamed(layer));
    assertThat(why(library, layer)).contains("indexed: " + torn.getMessage());
    assertThat(indexable(library.planner().plan(layer)).key()).isEqualTo(streamed(layer));
    assertThat(why(library, layer)).contains("indexed: " + torn.getMessage());
  }

  /** What one image says wrongly of where an index lies is no word against the index. */
  @Test
  void planAfter_indexThatIsTorn_isStillTriedForAnotherImage() throws Exception {
    LayerLibrary library = open();
    LayerFormat.Layer layer = stream("a");
    LayerFormat.Layer other =
        LoneLayers.alone(
            layer.descriptor(), layer.diffId(), LoneLayers.HERE, layer("other", "another image"));
    LayerPlan first = library.planner().plan(layer);

    library.planner().planAfter(torn, layer, first);

    assertThat(indexable(library.planner().plan(other)).key()).isEqualTo(indexable(first).key());
  }

  @ParameterizedTest
  @EnumSource(
      value = Reason.class,
      names = {"NOT_FOUND", "UNAUTHORIZED", "PROTOCOL"})
  void planAfter_indexThatIsNotGiven_isTheNextFormatsTurnOnce(Reason reason) throws Exception {
    LayerLibrary library = open();
    LayerFormat.Layer layer = stream("a");
    LayerPlan missing = library.planner().plan(layer);

    LayerPlan next =
        library
            .planner()
            .planAfter(new FetchException("no index", reason, 404, null), layer, missing);

    assertThat(indexable(next).key()).isEqualTo(streamed(layer));
    assertThat(indexable(library.planner().plan(layer)).key().format()).isEqualTo("indexed");
  }

  @ParameterizedTest
  @EnumSource(
      value = Reason.class,
      names = {"UNREACHABLE", "THROTTLED", "SERVER_ERROR"})
  void planAfter_registryThatIsAway_isWaitedFor(Reason reason) throws Exception {
    LayerLibrary library = open();
    LayerFormat.Layer layer = stream("a");
    LayerPlan plan = library.planner().plan(layer);
    FetchException away = new FetchException("away", reason, 0, null);

    assertThatThrownBy(() -> library.planner().planAfter(away, layer, plan)).isSameAs(away);
  }

  /** The layer itself unpacks to the index, and would be shown instead of the image. */
  @Test
  void planAfter_treeOfAWholeImage_isNoOtherFormatsTurn() throws Exception {
    LayerFormat whole =
        new LayerFormat() {
          @Override
          public String name() {
            return "whole";
          }

          @Override
          public Recognition recognise(Layer layer, IndexTrust trust) {
            return indexed.recognise(layer, trust) instanceof Recognition.Tree(var made, var origin)
                ? new Recognition.ImageTree(made, origin)
                : new Recognition.Foreign();
          }
        };
    LayerLibrary library = open(whole);
    LayerFormat.Layer layer = stream("a");
    LayerPlan plan = library.planner().plan(layer);
    FetchException missing = new FetchException("no blob", Reason.NOT_FOUND, 404, null);

    assertThatThrownBy(() -> library.planner().planAfter(torn, layer, plan)).isSameAs(torn);
    assertThatThrownBy(() -> library.planner().planAfter(missing, layer, plan)).isSameAs(missing);
    assertThat(indexable(library.planner().plan(layer)).wholeImage()).isTrue();
  }

  @Test
  void planAfter_nothingElseServesTheLayer_saysWhatFailed() throws Exception {
    LayerLibrary library = open();
    LayerFormat.Layer layer = stream("a");
    indexed.there(false);
    LayerPlan last = library.planner().plan(layer);

    assertThatThrownBy(() -> library.planner().planAfter(torn, layer, last)).isSameAs(torn);
  }

  @Test
  void plan_keptClaimOfAnotherRepository_addsTheHolderForGood() throws Exception {
    LayerLibrary library = open();
    LayerFormat.Layer layer = stream("a");
    KeptLayer made = make(library, layer);
    LayerFormat.Layer elsewhere =
        LoneLayers.alone(layer.descriptor(), layer.diffId(), LoneLayers.THERE);

    LayerPlan plan = library.planner().plan(elsewhere);

    assertThat(made.claim()).isNotNull();
    KeptLayer.Claim both =
        new KeptLayer.Claim(
            List.of(
                new KeptLayer.Held(
                    layer.descriptor(),
                    layer.diffId(),
                    Set.of(LoneLayers.HERE, LoneLayers.THERE))));
    assertThat(plan).isEqualTo(new LayerPlan.Kept(made.claiming(both)));
    assertThat(open().planner().plan(layer)).isEqualTo(plan);

    library.claims().honest(made);

    assertThat(library.claims().open()).isEmpty();
    assertThat(open().planner().plan(layer)).isEqualTo(new LayerPlan.Kept(made.compared()));
  }

  @ParameterizedTest
  @EnumSource(
      value = Binding.class,
      names = {"LAYER", "IMAGE"})
  void findProven_findsWhatWasMadeHere(Binding binding) throws Exception {
    LayerLibrary library = open(new IndexedFormat(binding));
    LayerFormat.Layer layer = stream("a");
    Digest digest = layer.descriptor().digest();

    KeptLayer made = make(library, layer);

    if (binding == Binding.LAYER) {
      assertThat(library.claims().findProven(digest)).contains(made);
    } else {
      assertThat(library.claims().findProven(digest)).isEmpty();
      library.claims().honest(made);
      assertThat(library.claims().findProven(digest)).contains(made.compared());
      library.claims().lying(made, "it does not");
      assertThat(library.claims().findProven(digest)).isEmpty();
    }
    assertThat(library.claims().findProven(IndexedFormat.index())).isEmpty();
  }

  @Test
  void findProven_findsWhatWasStreamed() throws Exception {
    LayerLibrary library = open();
    LayerFormat.Layer layer = stream("a");
    indexed.there(false);

    KeptLayer made = make(library, layer);

    assertThat(library.claims().findProven(layer.descriptor().digest())).contains(made);
    indexed.there(true);
    assertThat(library.planner().plan(layer)).isEqualTo(new LayerPlan.Kept(made));
    assertThat(why(library, layer)).contains("no other format in use knows it");
    LayerLibrary later = open();
    assertThat(why(later, layer)).isEmpty();
    later.planner().plan(layer);
    assertThat(why(later, layer)).contains("indexed: what was streamed before is kept");
    assertThat(Files.exists(directory.resolve("rejected.json"))).isFalse();
  }
}

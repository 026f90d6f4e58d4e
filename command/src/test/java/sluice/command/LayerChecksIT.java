package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import sluice.api.containerd.types.Mount;
import sluice.api.control.UndecidedLayer;
import sluice.core.Digest;
import sluice.testing.DockerRegistry;
import sluice.testing.FaultyRegistry;
import sluice.testing.Fixtures;
import sluice.testing.LayoutPush;
import sluice.testing.RegistryFault;

/**
 * Checks of layers in a daemon: those that its registry, its end or the removal of the image cut
 * short. A check asks for a layer as a whole, whatever else reads it asks for ranges.
 */
@Timeout(300)
final class LayerChecksIT {

  private static final Fixtures ONE = Fixtures.of("one");
  private static final String TAG = "esgz";
  private static final Digest LAYER = ONE.document(TAG).layers().getFirst().digest();
  private static final String HONEST = "layer " + LAYER + " holds what its index shows";
  private static final String NOT_COMPARED = "could not be compared";

  private DockerRegistry behind;
  private FaultyRegistry registry;
  private Node node;

  @BeforeEach
  void start() throws Exception {
    behind = DockerRegistry.open();
    LayoutPush.push(ONE.directory(), behind.host(), "one");
    registry = FaultyRegistry.before(behind);
    node = Node.configured("[trust]\ncheck_layers = \"always\"\n");
  }

  @AfterEach
  void stop() throws Exception {
    node.close();
    registry.close();
    behind.close();
  }

  @Test
  void layerThatIsNeverGiven_isShownAsUndecidedAndTriedAgainAtTheNextStart() throws Exception {
    registry.fail(LayerChecksIT::isOfACheck, new RegistryFault.Status(404));
    Path target = SnapshotCaller.mount(container(), node.target("first"));
    Await.until("a failed check", () -> node.status().getUndecidedLayersCount() > 0);

    UndecidedLayer undecided = node.status().getUndecidedLayers(0);
    assertThat(undecided.getLayer()).isEqualTo(LAYER.toString());
    assertThat(undecided.getFormat()).isEqualTo("estargz");
    assertThat(undecided.getReason()).contains("404");
    assertThat(undecided.getImagesList()).containsExactly(image());
    assertThat(undecided.getTries()).isEqualTo(1);
    assertThat(undecided.hasNextTry()).isTrue();
    assertThat(metrics())
        .contains("sluice_layers_undecided 1.0")
        .contains("sluice_layer_checks_total{outcome=\"undecided\"} 1.0");
    assertThat(node.get("/healthz").statusCode()).isEqualTo(200);
    for (String file : Expected.files(ONE)) {
      assertThat(Shell.sha256(target.resolve(file)).done()).isEqualTo(Expected.sha256(ONE, file));
    }

    Shell.run("umount", target.toString()).done();
    assertThat(node.daemon().stop()).isZero();
    registry.mend();
    node.restart(Map.of());
    awaitHonest();
    assertThat(node.status().getUndecidedLayersList()).isEmpty();
    assertThat(metrics())
        .contains("sluice_layers_undecided 0.0")
        .contains("sluice_layer_checks_total{outcome=\"honest\"} 1.0");
    assertThat(rubbish()).isEmpty();
  }

  /** Once with the layer, once more because it was not: that the registry then gives it is late. */
  @Test
  void registryThatSpoilsTheLayerTwice_blamesNobody() throws Exception {
    AtomicInteger checks = new AtomicInteger();
    registry.fail(
        request -> isOfACheck(request) && checks.getAndIncrement() < 2,
        new RegistryFault.WrongByte(100));
    assertThat(container()).isNotEmpty();
    Await.until("a failed check", () -> node.status().getUndecidedLayersCount() > 0);
    assertThat(node.status().getUndecidedLayers(0).getReason()).contains("gave other bytes than");
    assertThat(node.status().getLyingIndexesList()).isEmpty();
    assertThat(checks).hasValue(2);

    assertThat(node.daemon().stop()).isZero();
    node.restart(Map.of());
    awaitHonest();
  }

  @Test
  void daemonThatIsKilledInACheck_decidesAfterItsRestart() throws Exception {
    beginCheck();
    node.daemon().kill();
    assertThat(rubbish()).isNotEmpty();

    registry.mend();
    node.restart(Map.of());
    awaitHonest();
    Await.until("a clean directory", () -> rubbish().isEmpty());
    assertThat(node.daemon().log()).doesNotContain(NOT_COMPARED);
  }

  @Test
  void daemonThatIsStoppedInACheck_leavesNothingAndBlamesNobody() throws Exception {
    beginCheck();
    assertThat(node.daemon().stop()).isZero();
    assertThat(rubbish()).isEmpty();
    assertThat(node.daemon().log()).doesNotContain(NOT_COMPARED);

    registry.mend();
    node.restart(Map.of());
    awaitHonest();
  }

  @Test
  void layerThatIsRemovedInItsCheck_isForgotten_andComparedWhenItComesBack() throws Exception {
    beginCheck();
    node.client().removeAll();
    Cli.Result pruned = Cli.sluice("cache", "prune", "--address", node.socket().toString());
    assertThat(pruned.status()).as("%s", pruned).isZero();
    assertThat(entries("layers")).isEmpty();

    registry.mend();
    Await.until("a clean directory", () -> rubbish().isEmpty());
    assertThat(node.status().getUndecidedLayersList()).isEmpty();
    assertThat(metrics()).contains("sluice_layer_checks_total{outcome=\"undecided\"} 0.0");
    assertThat(node.daemon().log()).doesNotContain(HONEST, NOT_COMPARED);

    assertThat(container()).isNotEmpty();
    awaitHonest();
  }

  @Test
  void layerOfAFormatThatIsNoLongerUsed_isShownAsUndecided() throws Exception {
    beginCheck();
    assertThat(node.daemon().stop()).isZero();
    registry.mend();
    Files.writeString(
        node.directory().resolve("config.toml"),
        "[index]\nrecord = false\norder = [\"rafs\"]\n",
        StandardOpenOption.APPEND);
    node.restart(Map.of());
    Await.until("a failed check", () -> node.status().getUndecidedLayersCount() > 0);
    assertThat(node.status().getUndecidedLayers(0).getReason())
        .contains("format estargz is not in use", "index.order");
  }

  /** Prepares a container and has its check wait for the registry. */
  private void beginCheck() throws Exception {
    registry.fail(LayerChecksIT::isOfACheck, new RegistryFault.Hang());
    assertThat(container()).isNotEmpty();
    Await.until("a check", () -> registry.requests().stream().anyMatch(LayerChecksIT::isOfACheck));
    assertThat(rubbish()).isNotEmpty();
  }

  private void awaitHonest() throws Exception {
    Await.until(HONEST, () -> node.daemon().log().contains(HONEST));
  }

  private static boolean isOfACheck(FaultyRegistry.Request request) {
    return request.isFor(LAYER) && request.range().isEmpty();
  }

  private List<Mount> container() {
    return node.client().container("container", ONE, TAG, image());
  }

  private String image() {
    return registry.host() + "/one:" + TAG;
  }

  private String metrics() throws Exception {
    return node.get("/metrics").body();
  }

  /** What is on disk of checks. */
  private List<String> rubbish() throws IOException {
    return entries("checks");
  }

  private List<String> entries(String directory) throws IOException {
    Path path = node.directory().resolve("root").resolve(directory);
    if (!Files.isDirectory(path)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(path)) {
      return files.map(file -> file.getFileName().toString()).toList();
    }
  }
}

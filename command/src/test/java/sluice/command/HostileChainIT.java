package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static sluice.testing.ListingAssert.assertThatTree;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import sluice.core.ChainId;
import sluice.core.Digest;
import sluice.testing.ComposedImage;
import sluice.testing.DockerRegistry;
import sluice.testing.Fixtures;
import sluice.testing.LayoutPush;

/**
 * An image that claims the diff ID of a known base for a layer of its own: containerd would reuse
 * its content for every later image on that base.
 */
final class HostileChainIT {

  private static final Fixtures BASE = Fixtures.of("one");
  private static final Fixtures EVIL = Fixtures.of("pause");
  private static final ComposedImage VICTIM =
      ComposedImage.of(BASE, BASE.document(Fixtures.SOURCE));
  private static final Digest CHAIN = ChainId.ofAll(VICTIM.diffIds()).getLast();

  /** The other image's layer, served by its TOC, under the base's diff ID. */
  private static final ComposedImage HOSTILE =
      new ComposedImage(
          List.of(
              new ComposedImage.Layer(
                  EVIL, EVIL.document("esgz").layers().getFirst(), VICTIM.diffIds().getFirst())));

  private Path directory = Path.of("");
  private DockerRegistry registry;

  @BeforeEach
  void start() throws Exception {
    directory = Files.createTempDirectory("sl");
    registry = DockerRegistry.open();
    push(VICTIM, "victim");
    push(HOSTILE, "hostile");
  }

  @AfterEach
  void stop() throws Exception {
    registry.close();
    Shell.run("rm", "-rf", directory.toString()).done();
  }

  /** Who does not take the registry's word streams the layer, and sees that it is not the base. */
  @ParameterizedTest
  @ValueSource(strings = {"\"deny\"", "[\"registry.example\"]"})
  void untrusted_isRefusedAtOnce(String trusted) throws Exception {
    try (ContainerdNode node =
        ContainerdNode.of(Node.configured("[trust]\nunverified_diff_ids = " + trusted + "\n"))) {
      Cli.Result refused = node.tryPull(name("hostile"));
      assertThat(refused.status()).as("%s", refused).isNotZero();
      assertThat(refused.err())
          .contains("the configuration says diff ID " + VICTIM.diffIds().getFirst());

      assertThat(node.states(name("victim"))).containsOnly("lazy");
      assertThatTree(node.tree(CHAIN)).isTree(BASE.expected());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"\"allow\"", "[\"REGISTRY\"]"})
  void trusted_isFoundAndNeverMountedAgain(String trusted) throws Exception {
    String policy = trusted.replace("REGISTRY", registry.host());
    try (ContainerdNode node =
        ContainerdNode.of(
            Node.configured(
                "[trust]\nunverified_diff_ids = " + policy + "\ncheck_layers = \"always\"\n"))) {
      assertFound(node);
    }
  }

  /** With the default the layer is compared as soon as all of its data was read. */
  @Test
  void trusted_isFoundOnceItWasReadWhole() throws Exception {
    try (ContainerdNode node = ContainerdNode.of(Node.start())) {
      assertThat(node.states(name("hostile"))).containsOnly("lazy");
      assertThat(node.tree(CHAIN).entries()).isNotEmpty();
      assertFound(node);
    }
  }

  private void assertFound(ContainerdNode node) throws Exception {
    assertThat(node.tryPull(name("hostile")).status()).isZero();
    assertThat(node.tryPull(name("victim")).status()).isZero();
    Await.until(
        "the lie is found",
        () -> node.node().daemon().log().contains("does not hold what its estargz index shows"));
    assertThatThrownBy(() -> node.prepare(CHAIN))
        .hasMessageContaining("index does not show what it holds")
        .hasMessageContaining("diff-id")
        .hasMessageContaining("pull it again");
    assertTold(node.node(), List.of(name("hostile")));
    assertThat(node.node().get("/metrics").body())
        .contains("sluice_layer_checks_total{outcome=\"lying\"} 1.0");

    node.remove(name("hostile"), name("victim"));
    assertThat(node.states(name("victim"))).containsOnly("lazy");
    assertThatTree(node.tree(CHAIN)).isTree(BASE.expected());
    node.remove(name("victim"));
    assertThat(node.tryPull(name("hostile")).status()).isNotZero();

    assertThat(node.node().daemon().stop()).isZero();
    node.node().restart(Map.of());
    assertTold(node.node(), List.of());
  }

  /** The lie is shown, and no reason to call the node sick. */
  private static void assertTold(Node node, List<String> images) throws Exception {
    assertThat(node.status().getLyingIndexesList())
        .singleElement()
        .satisfies(lie -> {
          assertThat(lie.getFormat()).isEqualTo("estargz");
          assertThat(lie.getLayer())
              .isEqualTo(HOSTILE.layers().getFirst().descriptor().digest().toString());
          assertThat(lie.getReason()).contains("diff-id");
          assertThat(lie.getImagesList()).isEqualTo(images);
        });
    assertThat(node.get("/healthz").statusCode()).isEqualTo(200);
  }

  private void push(ComposedImage image, String tag) throws Exception {
    Path layout = directory.resolve(tag);
    image.write(layout, tag, Map.of());
    LayoutPush.push(layout, registry.host(), "base");
  }

  private String name(String tag) {
    return registry.host() + "/base:" + tag;
  }
}

package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static sluice.testing.ListingAssert.assertThatTree;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
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
import sluice.testing.Mounted;
import sluice.testing.PrivateContainerd;
import sluice.testing.Tree;
import sluice.testing.TreeListing;

/**
 * An image that claims the diff ID of a known base for a layer of its own: containerd would reuse
 * its content for every later image on that base.
 */
final class HostileChainIT {

  private static final Duration FOUND_WITHIN = Duration.ofMinutes(2);
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
    Mounted.clear(directory);
    Shell.run("rm", "-rf", directory.toString()).done();
  }

  /** Who does not take the registry's word streams the layer, and sees that it is not the base. */
  @ParameterizedTest
  @ValueSource(strings = {"\"deny\"", "[\"registry.example\"]"})
  void untrusted_isRefusedAtOnce(String trusted) throws Exception {
    try (Node node = Node.configured("[trust]\nunverified_diff_ids = " + trusted + "\n");
        PrivateContainerd containerd = containerd(node)) {
      Cli.Result refused = pull(node, containerd, "hostile");
      assertThat(refused.status()).as("%s", refused).isNotZero();
      assertThat(refused.err())
          .contains("the configuration says diff ID " + VICTIM.diffIds().getFirst());

      assertThat(pull(node, containerd, "victim").status()).isZero();
      assertThatTree(tree(containerd)).isTree(BASE.expected());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"\"allow\"", "[\"REGISTRY\"]"})
  void trusted_isFoundAndNeverMountedAgain(String trusted) throws Exception {
    String policy = trusted.replace("REGISTRY", registry.host());
    try (Node node =
            Node.configured(
                "[trust]\nunverified_diff_ids = " + policy + "\ncheck_layers = \"always\"\n");
        PrivateContainerd containerd = containerd(node)) {
      assertFound(node, containerd);
    }
  }

  /** With the default the layer is compared as soon as all of its data was read. */
  @Test
  void trusted_isFoundOnceItWasReadWhole() throws Exception {
    try (Node node = Node.start();
        PrivateContainerd containerd = containerd(node)) {
      assertThat(pull(node, containerd, "hostile").status()).isZero();
      assertThat(tree(containerd).entries()).isNotEmpty();
      assertFound(node, containerd);
    }
  }

  private void assertFound(Node node, PrivateContainerd containerd) throws Exception {
    assertThat(pull(node, containerd, "hostile").status()).isZero();
    assertThat(pull(node, containerd, "victim").status()).isZero();
    long deadline = System.nanoTime() + FOUND_WITHIN.toNanos();
    while (!node.daemon().log().contains("does not hold what its estargz index shows")) {
      assertThat(System.nanoTime()).as(node.daemon().log()).isLessThan(deadline);
      Thread.sleep(100);
    }
    assertThatThrownBy(() -> snapshots(containerd, "prepare", "look", CHAIN.toString()))
        .hasMessageContaining("index does not show what it holds")
        .hasMessageContaining("diff-id")
        .hasMessageContaining("pull it again");

    containerd.ctr("images", "rm", "--sync", name("hostile"), name("victim"));
    containerd.collectGarbage();
    assertThat(pull(node, containerd, "victim").status()).isZero();
    assertThatTree(tree(containerd)).isTree(BASE.expected());
    containerd.ctr("images", "rm", "--sync", name("victim"));
    containerd.collectGarbage();
    assertThat(pull(node, containerd, "hostile").status()).isNotZero();
  }

  private void push(ComposedImage image, String tag) throws Exception {
    Path layout = directory.resolve(tag);
    image.write(layout, tag, Map.of());
    LayoutPush.push(layout, registry.host(), "base");
  }

  private static PrivateContainerd containerd(Node node) throws IOException, InterruptedException {
    return PrivateContainerd.start(Map.of("sluice", node.socket()));
  }

  private Cli.Result pull(Node node, PrivateContainerd containerd, String tag) throws Exception {
    return Cli.sluice(
        "pull",
        "--containerd",
        containerd.socket().toString(),
        "--address",
        node.socket().toString(),
        name(tag));
  }

  /** What a container of the base sees. */
  private Tree tree(PrivateContainerd containerd) throws Exception {
    Path target = Files.createDirectories(directory.resolve("seen"));
    snapshots(containerd, "prepare", "look", CHAIN.toString());
    Shell.run("sh", "-c", snapshots(containerd, "mounts", target.toString(), "look")).done();
    Tree tree = TreeListing.of(target);
    Shell.run("umount", target.toString()).done();
    snapshots(containerd, "rm", "look");
    return tree;
  }

  private static String snapshots(PrivateContainerd containerd, String... words) throws Exception {
    List<String> all = new ArrayList<>(List.of("snapshots", "--snapshotter", "sluice"));
    all.addAll(List.of(words));
    return containerd.ctr(all.toArray(String[]::new));
  }

  private String name(String tag) {
    return registry.host() + "/base:" + tag;
  }
}

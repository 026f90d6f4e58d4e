package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static sluice.testing.ListingAssert.assertThatTree;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import sluice.command.index.IndexLayout;
import sluice.core.ChainId;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.testing.ComposedImage;
import sluice.testing.DockerRegistry;
import sluice.testing.Fixtures;
import sluice.testing.LayoutPush;

/**
 * Indexes that do not show what their layers hold, with each setting of {@code trust}. Two of them
 * claim the diff ID of a known base for a layer of their own: containerd would reuse their content
 * for every later image on that base.
 */
final class HostileChainIT {

  private static final Fixtures BASE = Fixtures.of("one");
  private static final Fixtures EVIL = Fixtures.of("pause");
  private static final String EVIL_TAG = "esgz";
  private static final ComposedImage VICTIM =
      ComposedImage.of(BASE, BASE.document(Fixtures.SOURCE));
  private static final Digest CHAIN = ChainId.ofAll(VICTIM.diffIds()).getLast();
  private static final Descriptor EVIL_LAYER = EVIL.document(EVIL_TAG).layers().getFirst();

  private static final Fixtures SMALL = LyingReferrer.SMALL;
  private static final ComposedImage ORDINARY =
      ComposedImage.of(SMALL, SMALL.document(Fixtures.SOURCE));

  private static final int PERMISSIONS = 07777;

  /** The thread that compares layers with their indexes. */
  private static final String CHECKER = "layer checks";

  /**
   * What lies.
   *
   * @param tag of the image
   * @param honestTag of the image that holds what is true under the same chain; the same, if all
   *     that lies is a referrer
   * @param honest what is true
   * @param chain that of both images
   * @param format of the index that lies
   * @param layer the layer about which it does
   * @param reason what is said once it is found
   */
  private record Lie(
      String tag,
      String honestTag,
      Fixtures honest,
      Digest chain,
      String format,
      Digest layer,
      String reason) {

    /** Whether the image itself lies: it cannot be served in another way. */
    boolean inImage() {
      return !tag.equals(honestTag);
    }
  }

  /** The other image's layer under the base's diff ID, by a TOC that the image's digest pins. */
  private static final Lie ANNOTATED =
      new Lie("hostile", "victim", BASE, CHAIN, "estargz", EVIL_LAYER.digest(), "diff-id");

  /** The same, by a TOC that only the layer's footer leads to. */
  private static final Lie UNANNOTATED =
      new Lie("bare", "victim", BASE, CHAIN, "estargz", EVIL_LAYER.digest(), "diff-id");

  /** A referrer of an honest image. */
  private static final Lie REFERRER =
      new Lie(
          "referred",
          "referred",
          SMALL,
          ChainId.ofAll(ORDINARY.diffIds()).getLast(),
          "soci",
          LyingReferrer.layer(),
          "\"/" + LyingReferrer.FILE + "\" has mode 104755, in the layer 100644");

  private static final List<Lie> OF_DIFF_IDS = List.of(ANNOTATED, UNANNOTATED);

  private Path directory = Path.of("");
  private DockerRegistry registry;

  @BeforeEach
  void start() throws Exception {
    directory = Files.createTempDirectory("sl");
    registry = DockerRegistry.open();
    push(VICTIM, "victim");
    push(evil(EVIL_LAYER), "hostile");
    push(
        evil(new Descriptor(EVIL_LAYER.mediaType(), EVIL_LAYER.digest(), EVIL_LAYER.sizeBytes())),
        "bare");
    push(ORDINARY, "referred");
    pushReferrer();
  }

  private static ComposedImage evil(Descriptor layer) {
    return new ComposedImage(
        List.of(new ComposedImage.Layer(EVIL, layer, VICTIM.diffIds().getFirst())));
  }

  private void push(ComposedImage image, String tag) throws Exception {
    Path layout = directory.resolve(tag);
    image.write(layout, tag, Map.of());
    LayoutPush.push(layout, registry.host(), "base");
  }

  private void pushReferrer() throws Exception {
    JsonNode image =
        new JsonMapper()
            .readTree(directory.resolve("referred/index.json").toFile())
            .required("manifests")
            .get(0);
    Descriptor subject =
        new Descriptor(
            image.required("mediaType").asText(),
            Digest.parse(image.required("digest").asText()),
            image.required("size").asLong());
    Path layout = directory.resolve("indexes");
    new IndexLayout(layout).keep(LyingReferrer.make(subject, directory.resolve("ztoc")));
    Cli.Result pushed =
        Cli.sluice(
            "index",
            "push",
            name("referred"),
            "--root",
            directory.resolve("root").toString(),
            "--layout",
            layout.toString());
    assertThat(pushed.status()).as("%s", pushed).isZero();
  }

  @AfterEach
  void stop() throws Exception {
    registry.close();
    Shell.run("rm", "-rf", directory.toString()).done();
  }

  private String name(String tag) {
    return registry.host() + "/base:" + tag;
  }

  private ContainerdNode node(String trust) throws Exception {
    String settings = trust.replace("HERE", "[\"" + registry.host() + "\"]");
    return ContainerdNode.of(Node.configured("[trust]\n" + settings.replace("; ", "\n") + "\n"));
  }

  /** Who does not take anybody's word streams the layer, and sees what it holds. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "unverified_diff_ids = \"deny\"; unpinned_indexes = \"allow\"; referrers = \"allow\"",
        "unverified_diff_ids = [\"registry.example\"]; unpinned_indexes = HERE; referrers = HERE"
      })
  void untrusted_isRefusedAtOnce(String trust) throws Exception {
    try (ContainerdNode node = node(trust)) {
      assertRefused(node, List.of(ANNOTATED, UNANNOTATED, REFERRER));
    }
  }

  /** Whoever may write to the repository is trusted less than who made the image. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "unpinned_indexes = \"deny\"; referrers = \"deny\"",
        "unpinned_indexes = [\"registry.example\"]; referrers = [\"registry.example\"]"
      })
  void unpinned_untrusted_isRefusedAtOnce(String trust) throws Exception {
    try (ContainerdNode node = node(trust)) {
      assertRefused(node, List.of(UNANNOTATED, REFERRER));
    }
  }

  private void assertRefused(ContainerdNode node, List<Lie> lies) throws Exception {
    for (Lie lie : lies) {
      if (lie.inImage()) {
        Cli.Result refused = node.tryPull(name(lie.tag));
        assertThat(refused.status()).as("%s: %s", lie, refused).isNotZero();
        assertThat(refused.err())
            .contains("the configuration says diff ID " + VICTIM.diffIds().getFirst());
      }
    }
    Set<String> pulled = new HashSet<>();
    for (Lie lie : lies) {
      if (pulled.add(lie.honestTag)) {
        assertThat(node.states(name(lie.honestTag))).containsOnly("lazy");
        assertThatTree(node.tree(lie.chain)).isTree(lie.honest.expected());
      }
    }
    assertThat(node.node().status().getLyingIndexesList()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"\"allow\"", "HERE"})
  void trusted_isFoundAndNeverMountedAgain(String whom) throws Exception {
    String trust =
        Stream.of("unverified_diff_ids", "unpinned_indexes")
            .map(setting -> setting + " = " + whom + "; ")
            .reduce("", String::concat);
    try (ContainerdNode node = node(trust + "check_layers = \"always\"")) {
      int found = 0;
      for (Lie lie : OF_DIFF_IDS) {
        assertFound(node, lie, ++found);
      }
      assertThat(threads(node)).contains(CHECKER);
      assertShownAfterRestart(node.node(), OF_DIFF_IDS);
    }
  }

  /**
   * Names and modes are shown; the headers are compared before a byte of their span is, and if they
   * differ, all of the layer.
   */
  @ParameterizedTest
  @ValueSource(strings = {"\"allow\"", "HERE"})
  void referrer_trusted_isFoundByWhoeverReadsTheFile(String whom) throws Exception {
    try (ContainerdNode node = node("referrers = " + whom)) {
      assertThat(node.states(name(REFERRER.tag))).containsOnly("lazy");
      int mode =
          node.look(
              REFERRER.chain,
              root -> {
                Path file = root.resolve(LyingReferrer.FILE);
                assertThatThrownBy(() -> Files.readAllBytes(file)).isInstanceOf(IOException.class);
                return (int) Files.getAttribute(file, "unix:mode");
              });
      assertThat(mode & PERMISSIONS).isEqualTo(LyingReferrer.MODE);
      assertThat(node.node().daemon().log())
          .contains("the headers are not those of \"" + LyingReferrer.FILE + "\"");
      assertFound(node, REFERRER, 1);
    }
  }

  /** With the default the layer is compared as soon as all of its data was read. */
  @Test
  void trusted_isFoundOnceItWasReadWhole() throws Exception {
    try (ContainerdNode node = ContainerdNode.of(Node.start())) {
      assertThat(node.states(name("hostile"))).containsOnly("lazy");
      assertThat(node.tree(CHAIN).entries()).isNotEmpty();
      assertFound(node, ANNOTATED, 1);
      assertShownAfterRestart(node.node(), List.of(ANNOTATED));
    }
  }

  /** {@code docs/security.md} says so: the other image's content is shown as the base's. */
  @Test
  void trusted_unchecked_isNeverFound() throws Exception {
    try (ContainerdNode node = node("check_layers = \"never\"")) {
      assertThat(node.states(name("hostile"))).containsOnly("lazy");
      FixtureImages.assertShows(EVIL, EVIL_TAG, node.tree(CHAIN));

      assertThat(node.states(name("victim"))).containsOnly("known");
      FixtureImages.assertShows(EVIL, EVIL_TAG, node.tree(CHAIN));
      assertThat(node.node().status().getLyingIndexesList()).isEmpty();
      assertThat(threads(node)).contains("java").doesNotContain(CHECKER);
    }
  }

  private void assertFound(ContainerdNode node, Lie lie, int lies) throws Exception {
    assertThat(node.tryPull(name(lie.tag)).status()).as("%s", lie).isZero();
    assertThat(node.tryPull(name(lie.honestTag)).status()).isZero();
    Await.until(lie + " is found", () -> node.node().status().getLyingIndexesCount() == lies);
    assertThat(node.node().daemon().log())
        .contains("does not hold what its " + lie.format + " index shows");
    assertThatThrownBy(() -> node.prepare(lie.chain))
        .hasMessageContaining("index does not show what it holds")
        .hasMessageContaining(lie.reason)
        .hasMessageContaining("pull it again");
    assertTold(node.node(), lie, List.of(name(lie.tag)));
    assertThat(node.node().get("/metrics").body())
        .contains("sluice_layer_checks_total{outcome=\"lying\"} " + lies + ".0");

    node.remove(
        Stream.of(lie.tag, lie.honestTag).distinct().map(this::name).toArray(String[]::new));
    assertThat(node.states(name(lie.honestTag))).containsOnly("lazy");
    assertThatTree(node.tree(lie.chain)).isTree(lie.honest.expected());
    node.remove(name(lie.honestTag));
    if (lie.inImage()) {
      assertThat(node.tryPull(name(lie.tag)).status()).isNotZero();
    }
  }

  /** The names of the daemon's threads. */
  private static List<String> threads(ContainerdNode node) throws Exception {
    Path tasks = Path.of("/proc", Long.toString(node.node().daemon().pid()), "task");
    List<String> names = new ArrayList<>();
    try (DirectoryStream<Path> each = Files.newDirectoryStream(tasks)) {
      for (Path task : each) {
        names.add(Files.readString(task.resolve("comm")).strip());
      }
    }
    return names;
  }

  private static void assertShownAfterRestart(Node node, List<Lie> lies) throws Exception {
    assertThat(node.daemon().stop()).isZero();
    node.restart(Map.of());
    assertThat(node.status().getLyingIndexesCount()).isEqualTo(lies.size());
    for (Lie lie : lies) {
      assertTold(node, lie, List.of());
    }
  }

  /** The lie is shown, and no reason to call the node sick. */
  private static void assertTold(Node node, Lie lie, List<String> images) throws Exception {
    assertThat(node.status().getLyingIndexesList())
        .anySatisfy(told -> {
          assertThat(told.getFormat()).isEqualTo(lie.format);
          assertThat(told.getLayer()).isEqualTo(lie.layer.toString());
          assertThat(told.getReason()).contains(lie.reason);
          assertThat(told.getImagesList()).isEqualTo(images);
        });
    assertThat(node.get("/healthz").statusCode()).isEqualTo(200);
  }
}

package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;
import static sluice.testing.ListingAssert.assertThatTree;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import sluice.core.Bytes;
import sluice.core.ChainId;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.testing.DockerRegistry;
import sluice.testing.FileType;
import sluice.testing.Fixtures;
import sluice.testing.LayoutPush;
import sluice.testing.ListingAssert.Loss;
import sluice.testing.Tree;
import sluice.testing.TreeEntry;

/**
 * Chains of lazy and ordinary layers: a switch refuses a layer of each image, and containerd, which
 * pulled the image, unpacks that one between the others.
 */
final class MixedChainIT {

  private static final List<String> FIXTURES = List.of("small", "implicit", "deep", "tarforms");

  /** Which layer is refused. */
  enum Refused {
    NONE,
    LOWEST,
    MIDDLE,
    TOPMOST;

    /** Its place among so many; -1 for none. */
    int of(int layers) {
      return switch (this) {
        case NONE -> -1;
        case LOWEST -> 0;
        case MIDDLE -> layers / 2;
        case TOPMOST -> layers - 1;
      };
    }
  }

  private Path directory = Path.of("");
  private DockerRegistry registry;

  @BeforeEach
  void start() throws Exception {
    directory = Files.createTempDirectory("sl");
    registry = DockerRegistry.open();
  }

  @AfterEach
  void stop() throws Exception {
    registry.close();
    Shell.run("rm", "-rf", directory.toString()).done();
  }

  @ParameterizedTest
  @EnumSource(Refused.class)
  void fixtures_showTheirTrees(Refused refused) throws Exception {
    List<Digest> layers = new ArrayList<>();
    for (String name : FIXTURES) {
      LayoutPush.push(Fixtures.of(name).directory(), registry.host(), name);
      refused(Fixtures.of(name).document(Fixtures.SOURCE).layers(), refused).forEach(layers::add);
    }
    try (ContainerdNode node = node(layers)) {
      for (String name : FIXTURES) {
        Fixtures fixture = Fixtures.of(name);
        List<Descriptor> all = fixture.document(Fixtures.SOURCE).layers();
        assertUnpacked(node.pull(image(name, Fixtures.SOURCE)), layers, all);
        Tree shown = node.tree(ChainId.ofAll(fixture.diffIds(Fixtures.SOURCE)).getLast());
        assertThatTree(shown)
            .as("%s, refused %s", name, refused)
            .losing(Loss.LINK_COUNTS)
            .isTree(
                refused == Refused.NONE
                    ? fixture.expected()
                    : fixture.expected().orAsUnpacked(shown));
      }
    }
  }

  /** What containerd's own overlayfs snapshotter makes of the image is the oracle. */
  @ParameterizedTest
  @EnumSource(Refused.class)
  void layersThatLeanOnEachOther_showWhatContainerdUnpacks(Refused refused) throws Exception {
    MixedImage image = MixedImage.write(directory.resolve("mixed"));
    LayoutPush.push(image.layout(), registry.host(), "mixed");
    List<Digest> layers = refused(image.layers(), refused).toList();
    Digest chainId = chainId(image);
    String name = image("mixed", MixedImage.TAG);
    try (ContainerdNode node = node(layers)) {
      assertUnpacked(node.pull(name), layers, image.layers());
      node.containerd().ctr("images", "pull", "--plain-http", "--snapshotter", "overlayfs", name);
      assertThatTree(node.tree(chainId))
          .losing(Loss.LINK_COUNTS)
          .isTree(expected(node.tree("overlayfs", chainId)));
    }
  }

  /**
   * containerd changes the times of directories when it unpacks something into them. To one that
   * the layer does not name it gives the attributes of a directory below, also of one that is
   * hidden by an opaque directory.
   */
  private static Tree expected(Tree unpacked) {
    SortedMap<Bytes, TreeEntry> entries = new TreeMap<>(unpacked.entries());
    entries.replaceAll((path, entry) -> {
      if (entry.type() != FileType.DIR) {
        return entry;
      }
      boolean hidden = path.equals(Bytes.utf8("opaque/hidden"));
      return new TreeEntry(
          entry.type(),
          hidden ? 0755 : entry.mode(),
          hidden ? 0 : entry.uid(),
          hidden ? 0 : entry.gid(),
          entry.size(),
          null,
          entry.target(),
          entry.device(),
          entry.nlink(),
          entry.same(),
          entry.xattrs(),
          entry.content());
    });
    return () -> entries;
  }

  @Test
  void hardLink_intoTheLazyLayerBelow_isOneFile() throws Exception {
    MixedImage image = linked();
    List<Digest> lowest = List.of(image.layers().getFirst().digest());
    try (ContainerdNode node = node(lowest)) {
      assertUnpacked(node.pull(image("linked", MixedImage.TAG)), lowest, image.layers());
      Tree tree = node.tree(chainId(image));
      assertThat(tree.entry("target").same()).isEqualTo(tree.entry("attributes/link").same());
    }
  }

  /** containerd can't make such a link either, so the pull says all that is to be said. */
  @Test
  void hardLink_intoAnUnpackedLayer_isLeftToContainerdWithTheReason() throws Exception {
    MixedImage image = linked();
    try (ContainerdNode node = node(List.of(image.layers().get(1).digest()))) {
      Cli.Result pull = node.tryPull(image("linked", MixedImage.TAG));
      assertThat(pull.status()).as("%s", pull).isEqualTo(1);
      assertThat(pull.err())
          .contains("layer 3 of 3", image.layers().getLast().digest().toString())
          .contains("the layers below are not all lazy, and it links into one that is not")
          .contains("hard link to \"target\"");
      node.containerd().collectGarbage();
      assertThat(node.containerd().ctr("snapshots", "--snapshotter", "sluice", "list").lines())
          .hasSize(1);
    }
  }

  private MixedImage linked() throws IOException, InterruptedException {
    MixedImage image = MixedImage.writeLinked(directory.resolve("linked"));
    LayoutPush.push(image.layout(), registry.host(), "linked");
    return image;
  }

  private static Digest chainId(MixedImage image) {
    return ChainId.ofAll(image.layers().stream().map(Descriptor::digest).toList()).getLast();
  }

  private static Stream<Digest> refused(List<Descriptor> layers, Refused refused) {
    int place = refused.of(layers.size());
    return place < 0 ? Stream.empty() : Stream.of(layers.get(place).digest());
  }

  private static void assertUnpacked(
      List<JsonNode> pulled, List<Digest> refused, List<Descriptor> layers) {
    List<String> unpacked = new ArrayList<>();
    for (JsonNode layer : pulled) {
      if (layer.get("state").textValue().equals("unpacked")) {
        unpacked.add(layer.get("digest").textValue());
        assertThat(layer.path("reason").asText()).isNotEmpty();
      }
    }
    assertThat(unpacked)
        .as("%s", pulled)
        .containsExactlyElementsOf(
            layers.stream()
                .map(Descriptor::digest)
                .filter(refused::contains)
                .map(Digest::toString)
                .toList());
  }

  private static ContainerdNode node(List<Digest> refused)
      throws IOException, InterruptedException {
    return ContainerdNode.of(
        Node.start(
            Map.of(
                "SLUICE_TEST_REFUSE_LAYERS",
                refused.stream().map(Digest::toString).collect(Collectors.joining(",")))));
  }

  private String image(String repository, String tag) {
    return registry.host() + "/" + repository + ":" + tag;
  }
}

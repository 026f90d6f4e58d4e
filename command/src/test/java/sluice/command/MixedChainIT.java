package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;
import static sluice.testing.ListingAssert.assertThatTree;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
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
import sluice.api.containerd.types.Mount;
import sluice.core.Bytes;
import sluice.core.ChainId;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.testing.DockerRegistry;
import sluice.testing.FileType;
import sluice.testing.Fixtures;
import sluice.testing.LayoutPush;
import sluice.testing.ListingAssert.Loss;
import sluice.testing.Mounted;
import sluice.testing.PrivateContainerd;
import sluice.testing.Tree;
import sluice.testing.TreeEntry;
import sluice.testing.TreeListing;

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
    Mounted.clear(directory);
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
    try (Node node = node(layers);
        PrivateContainerd containerd = containerd(node)) {
      for (String name : FIXTURES) {
        Fixtures fixture = Fixtures.of(name);
        List<Descriptor> all = fixture.document(Fixtures.SOURCE).layers();
        JsonNode pulled = pull(node, containerd, name, Fixtures.SOURCE);
        assertUnpacked(pulled, layers, all);
        Digest chainId = ChainId.ofAll(fixture.diffIds(Fixtures.SOURCE)).getLast();
        try (Mounted view = view(containerd, "sluice", chainId)) {
          TreeListing shown = TreeListing.of(view.target());
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
  }

  /** What containerd's own overlayfs snapshotter makes of the image is the oracle. */
  @ParameterizedTest
  @EnumSource(Refused.class)
  void layersThatLeanOnEachOther_showWhatContainerdUnpacks(Refused refused) throws Exception {
    MixedImage image = MixedImage.write(directory.resolve("mixed"));
    LayoutPush.push(image.layout(), registry.host(), "mixed");
    List<Digest> layers = refused(image.layers(), refused).toList();
    Digest chainId = chainId(image);
    try (Node node = node(layers);
        PrivateContainerd containerd = containerd(node)) {
      assertUnpacked(pull(node, containerd, "mixed", MixedImage.TAG), layers, image.layers());
      containerd.ctr(
          "images",
          "pull",
          "--plain-http",
          "--snapshotter",
          "overlayfs",
          image("mixed", MixedImage.TAG));
      try (Mounted plain = view(containerd, "overlayfs", chainId);
          Mounted view = view(containerd, "sluice", chainId)) {
        assertThatTree(TreeListing.of(view.target()))
            .losing(Loss.LINK_COUNTS)
            .isTree(expected(TreeListing.of(plain.target())));
      }
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
    try (Node node = node(lowest);
        PrivateContainerd containerd = containerd(node)) {
      assertUnpacked(pull(node, containerd, "linked", MixedImage.TAG), lowest, image.layers());
      try (Mounted view = view(containerd, "sluice", chainId(image))) {
        Tree tree = TreeListing.of(view.target());
        assertThat(tree.entry("target").same()).isEqualTo(tree.entry("attributes/link").same());
      }
    }
  }

  /** containerd can't make such a link either, so the pull says all that is to be said. */
  @Test
  void hardLink_intoAnUnpackedLayer_isLeftToContainerdWithTheReason() throws Exception {
    MixedImage image = linked();
    try (Node node = node(List.of(image.layers().get(1).digest()));
        PrivateContainerd containerd = containerd(node)) {
      Path log = directory.resolve("pull");
      try (SluiceProcess pull = startPull(log, node, containerd, "linked", MixedImage.TAG)) {
        assertThat(pull.end(Duration.ofMinutes(2))).as(pull.log()).isEqualTo(1);
        assertThat(pull.log())
            .contains("layer 3 of 3", image.layers().getLast().digest().toString())
            .contains("the layers below are not all lazy, and it links into one that is not")
            .contains("hard link to \"target\"");
      }
      containerd.collectGarbage();
      assertThat(containerd.ctr("snapshots", "--snapshotter", "sluice", "list").lines()).hasSize(1);
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
      JsonNode pulled, List<Digest> refused, List<Descriptor> layers) {
    List<String> unpacked = new ArrayList<>();
    for (JsonNode layer : pulled.get("layers")) {
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

  private static Node node(List<Digest> refused) throws IOException, InterruptedException {
    return Node.start(
        Map.of(
            "SLUICE_TEST_REFUSE_LAYERS",
            refused.stream().map(Digest::toString).collect(Collectors.joining(","))));
  }

  private static PrivateContainerd containerd(Node node) throws IOException, InterruptedException {
    return PrivateContainerd.start(Map.of("sluice", node.socket()));
  }

  private String image(String repository, String tag) {
    return registry.host() + "/" + repository + ":" + tag;
  }

  /** By the command in a process of its own; what it says as JSON. */
  private JsonNode pull(Node node, PrivateContainerd containerd, String repository, String tag)
      throws IOException, InterruptedException {
    Path log = directory.resolve("pull");
    Files.deleteIfExists(log);
    try (SluiceProcess pull = startPull(log, node, containerd, repository, tag)) {
      assertThat(pull.end(Duration.ofMinutes(2))).as(pull.log()).isZero();
      return new ObjectMapper().readTree(pull.log().substring(pull.log().indexOf('{')));
    }
  }

  private SluiceProcess startPull(
      Path log, Node node, PrivateContainerd containerd, String repository, String tag)
      throws IOException {
    return SluiceProcess.start(
        log,
        Map.of(),
        "pull",
        "--containerd",
        containerd.socket().toString(),
        "--address",
        node.socket().toString(),
        "--json",
        image(repository, tag));
  }

  private Mounted view(PrivateContainerd containerd, String snapshotter, Digest chainId)
      throws Exception {
    String key = "view-" + chainId.hex();
    // A collection that the pull has left to run would take what nothing refers to yet.
    containerd.collectGarbage();
    containerd.ctr("snapshots", "--snapshotter", snapshotter, "view", key, chainId.toString());
    containerd.ctr(
        "snapshots", "--snapshotter", snapshotter, "label", key, "containerd.io/gc.root=now");
    String mount = containerd.ctr("snapshots", "--snapshotter", snapshotter, "mounts", "/mnt", key);
    return mounted(mount, directory.resolve("mnt").resolve(snapshotter + chainId.hex()));
  }

  /**
   * Mounts what {@code ctr snapshots mounts} says: {@code mount -t TYPE SOURCE TARGET -o OPTIONS}.
   */
  private static Mounted mounted(String command, Path target) throws IOException {
    List<String> words = List.of(command.strip().split(" ", -1));
    return Mounted.on(
        target,
        List.of(
            Mount.newBuilder()
                .setType(words.get(2))
                .setSource(words.get(3))
                .addAllOptions(List.of(words.get(6).split(",", -1)))
                .build()));
  }
}

package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;
import static sluice.testing.ListingAssert.assertThatTree;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import sluice.core.ChainId;
import sluice.core.Digest;
import sluice.core.ImageDocument;
import sluice.testing.ComposedImage;
import sluice.testing.DockerRegistry;
import sluice.testing.FileType;
import sluice.testing.Fixtures;
import sluice.testing.LayoutPush;
import sluice.testing.ListingAssert.Loss;
import sluice.testing.Tree;

/**
 * One image whose layers are of five formats: nydus at the bottom, then eStargz, zstd:chunked, gzip
 * layers with a SOCI index, and a plain layer on top. The same layers before they were converted,
 * as containerd unpacks them, are the oracle.
 */
final class FiveFormatsIT {

  private static final Fixtures READER = Fixtures.of("reader");
  private static final Fixtures SMALL = Fixtures.of("small");
  private static final Fixtures SECOND = Fixtures.of("second");
  private static final Fixtures ONE = Fixtures.of("one");
  private static final Fixtures IMPLICIT = Fixtures.of("implicit");

  /** Its annotation names the SOCI index, which holds for the same layers in another image, too. */
  private static final ImageDocument.Manifest SOCI = SMALL.listed("soci2").getFirst();

  private static final ComposedImage MIXED =
      whole(READER, "nydus-zstd")
          .with(whole(ONE, "esgz"))
          .with(whole(IMPLICIT, "zstdc-podman"))
          .with(ComposedImage.of(SMALL, SOCI))
          .with(whole(SECOND, Fixtures.SOURCE));

  private static final ComposedImage PLAIN =
      whole(READER, Fixtures.SOURCE)
          .with(whole(ONE, Fixtures.SOURCE))
          .with(whole(IMPLICIT, Fixtures.SOURCE))
          .with(whole(SMALL, Fixtures.SOURCE))
          .with(whole(SECOND, Fixtures.SOURCE));

  private Path directory = Path.of("");
  private DockerRegistry registry;
  private ContainerdNode node;

  private static ComposedImage whole(Fixtures fixtures, String tag) {
    return ComposedImage.of(fixtures, fixtures.document(tag));
  }

  @BeforeEach
  void start() throws Exception {
    directory = Files.createTempDirectory("sl");
    registry = DockerRegistry.open();
    LayoutPush.push(SMALL.directory(), registry.host(), "five");
    push(MIXED, "mixed", SOCI.annotations());
    push(PLAIN, "plain", Map.of());
    node = ContainerdNode.of(Node.start());
  }

  @AfterEach
  void stop() throws Exception {
    node.close();
    registry.close();
    Shell.run("rm", "-rf", directory.toString()).done();
  }

  private void push(ComposedImage image, String tag, Map<String, String> annotations)
      throws Exception {
    Path layout = directory.resolve(tag);
    image.write(layout, tag, annotations);
    LayoutPush.push(layout, registry.host(), "five");
  }

  @Test
  void image_isServedByFiveFormatsAndRuns() throws Exception {
    JsonNode inspected = json("inspect", "--json", name("mixed"));
    assertThat(inInspection(inspected, "format"))
        .containsExactly("rafs", "estargz", "zstd-chunked", "soci", "tar");

    assertThat(node.states(name("mixed"))).containsOnly("lazy");
    assertThat(servedBy()).containsExactly("rafs", "estargz", "zstd-chunked", "soci", "tar");

    assertThat(run("sluice", "mixed")).isEqualTo(unpacked()).contains("/data/text0", "done");
    // Formats keep times to different precision. containerd's unpack drops trusted xattrs, and
    // counts names that whiteouts hide.
    assertThatTree(tree("overlayfs", PLAIN))
        .losing(Loss.LINK_COUNTS, Loss.TIMES, Loss.TRUSTED_XATTRS)
        .isTree(tree("sluice", MIXED));
  }

  /** What {@code index.order} does not name is not used; what it serves else is streamed. */
  @Test
  void image_onANodeThatUsesTwoFormats_isStreamedWhereOthersServeIt() throws Exception {
    node.close();
    node =
        ContainerdNode.of(
            Node.configured("[index]\nrecord = false\norder = [\"estargz\", \"rafs\"]\n"));
    assertThat(node.states(name("mixed"))).containsOnly("lazy");
    assertThat(servedBy()).containsExactly("rafs", "estargz", "tar");
    assertThat(run("sluice", "mixed")).isEqualTo(unpacked()).contains("/data/text0", "done");
    assertThatTree(tree("overlayfs", PLAIN))
        .losing(Loss.LINK_COUNTS, Loss.TIMES, Loss.TRUSTED_XATTRS)
        .isTree(tree("sluice", MIXED));
  }

  /** By which formats the daemon serves what was pulled, in the order of the layers. */
  private Set<String> servedBy() throws Exception {
    List<String> chains = ChainId.ofAll(MIXED.diffIds()).stream().map(Digest::toString).toList();
    Set<String> formats = new LinkedHashSet<>();
    node.node().status().getImages(0).getLayersList().stream()
        .sorted(Comparator.comparingInt(layer -> chains.indexOf(layer.getChainId())))
        .forEach(layer -> formats.add(layer.getFormat()));
    return formats;
  }

  /** What containerd's own snapshotter shows of the plain image, and what the reader says of it. */
  private String unpacked() throws Exception {
    node.containerd()
        .ctr("images", "pull", "--plain-http", "--snapshotter", "overlayfs", name("plain"));
    return run("overlayfs", "plain");
  }

  private String run(String snapshotter, String tag) throws Exception {
    List<String> words = new ArrayList<>(List.of("run", "--rm", "--snapshotter", snapshotter));
    words.addAll(List.of(name(tag), "once-" + tag, "/bin/reader"));
    for (Fixtures fixtures : List.of(READER, ONE, SECOND, SMALL)) {
      fixtures.expected().entries().entrySet().stream()
          .filter(entry -> entry.getValue().type() == FileType.FILE)
          .filter(entry -> entry.getKey().toString().matches("[a-z0-9/]+"))
          .limit(4)
          .forEach(entry -> words.add("/" + entry.getKey()));
    }
    words.add("/data/text0");
    return node.containerd().ctr(words.toArray(String[]::new));
  }

  private Tree tree(String snapshotter, ComposedImage image) throws Exception {
    return node.tree(snapshotter, ChainId.ofAll(image.diffIds()).getLast());
  }

  private static Set<String> inInspection(JsonNode inspected, String key) {
    Set<String> values = new LinkedHashSet<>();
    inspected.required("layers").forEach(layer -> values.add(layer.required(key).asText()));
    return values;
  }

  private static JsonNode json(String... words) throws Exception {
    Cli.Result result = Cli.sluice(words);
    assertThat(result.status()).as(result.err()).isZero();
    return new JsonMapper().readTree(result.out());
  }

  private String name(String tag) {
    return registry.host() + "/five:" + tag;
  }
}

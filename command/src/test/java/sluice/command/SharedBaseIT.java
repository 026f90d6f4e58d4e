package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;
import static sluice.testing.ListingAssert.assertThatTree;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sluice.core.Bytes;
import sluice.core.ChainId;
import sluice.core.Digest;
import sluice.core.ImageDocument;
import sluice.testing.ComposedImage;
import sluice.testing.DockerRegistry;
import sluice.testing.Fixtures;
import sluice.testing.LayoutPush;
import sluice.testing.Tree;
import sluice.testing.TreeEntry;

/**
 * Images whose lowest layers, and so chain IDs, are those of an image that is shown by its RAFS
 * variant: containerd takes the snapshots that the variant made for the base of them all.
 */
@Timeout(300)
final class SharedBaseIT {

  private static final String INDEX = "nydus-index";

  private static final Fixtures READER = Fixtures.of("reader");
  private static final Fixtures ONE = Fixtures.of("one");

  /** What the topmost layer of {@link #READER} brings. */
  private static final List<String> TOP = List.of("data/text1", "data/noise1");

  /** The ordinary manifest and the RAFS one of the index. */
  private static final ImageDocument.Manifest PLAIN = READER.listed(INDEX).getFirst();

  private static final ImageDocument.Manifest RAFS = READER.listed(INDEX).getLast();

  private static final ComposedImage WHOLE = ComposedImage.of(READER, PLAIN);
  private static final ComposedImage OWN = ComposedImage.of(ONE, ONE.document(Fixtures.SOURCE));

  /** Built on all layers of {@link #READER} but the topmost. */
  private static final ComposedImage ON_PART = WHOLE.lowest(WHOLE.layers().size() - 1).with(OWN);

  /** Built on all its layers. */
  private static final ComposedImage ON_WHOLE = WHOLE.with(OWN);

  @TempDir private Path temporary;
  private DockerRegistry registry;
  private ContainerdNode node;

  @BeforeEach
  void start() throws Exception {
    registry = DockerRegistry.open();
    LayoutPush.push(READER.directory(), registry.host(), "reader");
    push(ON_PART, "part");
    push(ON_WHOLE, "whole");
    node = ContainerdNode.of(Node.start());
  }

  @AfterEach
  void stop() throws Exception {
    node.close();
    registry.close();
  }

  @Test
  void ordinaryImages_afterTheRafsVariant_areRight() throws Exception {
    assertThat(node.states(image(INDEX))).containsOnly("lazy");
    assertThat(run(image(INDEX), "/data/text0", "/data/text1")).isEqualTo(lines("text0", "text1"));
    assertThatTree(tree(WHOLE)).isTree(READER.expected());
    assertThat(fetched(WHOLE)).isEmpty();
    assertThat(fetched(RAFS.layers().getFirst().digest())).isNotEmpty();

    assertThat(node.states(name("part"))).containsExactly("known", "known", "known", "lazy");
    assertThatTree(tree(ON_PART)).isTree(without(TOP));
    assertThat(run(name("part"), "/data/text0", "/data/noise0"))
        .isEqualTo(lines("text0", "noise0"));
    assertThat(node.states(name("whole"))).endsWith("known", "lazy");
    assertThatTree(tree(ON_WHOLE)).isTree(without(List.of()));
    assertThatTree(tree(WHOLE)).isTree(READER.expected());

    node.remove(image(INDEX), name("whole"));
    List<String> before = manifestsAskedFor();
    assertThatTree(tree(ON_PART)).isTree(without(TOP));
    assertThat(manifestsAskedFor()).isEqualTo(before);
  }

  @Test
  void rafsVariant_afterAnOrdinaryImage_isRight() throws Exception {
    assertThat(node.states(name("part"))).containsOnly("lazy");
    assertThatTree(tree(ON_PART)).isTree(without(TOP));

    assertThat(node.states(image(INDEX))).containsExactly("known", "known", "known", "lazy");
    assertThatTree(tree(WHOLE)).isTree(READER.expected());
    assertThat(run(image(INDEX), "/data/text0", "/data/text1")).isEqualTo(lines("text0", "text1"));
    assertThat(fetched(RAFS.layers().getFirst().digest())).isNotEmpty();
    assertThat(node.states(name("whole"))).endsWith("known", "lazy");
    assertThatTree(tree(ON_WHOLE)).isTree(without(List.of()));

    node.remove(name("part"), name("whole"));
    assertThatTree(tree(WHOLE)).isTree(READER.expected());
    assertThat(run(image(INDEX), "/data/text0", "/data/text1")).isEqualTo(lines("text0", "text1"));
  }

  private void push(ComposedImage image, String name) throws Exception {
    Path layout = temporary.resolve(name);
    image.write(layout, "latest");
    LayoutPush.push(layout, registry.host(), name);
  }

  private String run(String image, String... files) throws Exception {
    List<String> words = new ArrayList<>(List.of("run", "--rm", "--snapshotter", "sluice"));
    words.addAll(List.of(image, "once", "/bin/reader"));
    words.addAll(List.of(files));
    return node.containerd().ctr(words.toArray(String[]::new));
  }

  private Tree tree(ComposedImage image) throws Exception {
    return node.tree(ChainId.ofAll(image.diffIds()).getLast());
  }

  /** The files of both images, but for some. */
  private static Tree without(List<String> paths) throws IOException {
    SortedMap<Bytes, TreeEntry> entries = new TreeMap<>(ONE.expected().entries());
    entries.putAll(READER.expected().entries());
    paths.forEach(path -> entries.remove(Bytes.utf8(path)));
    return () -> entries;
  }

  /** What {@code /bin/reader} says of files below {@code /data}. */
  private static String lines(String... names) throws IOException {
    List<String> all = Files.readAllLines(Fixtures.root().resolve("reader.out"));
    StringBuilder lines = new StringBuilder();
    for (String name : names) {
      all.stream()
          .filter(line -> line.endsWith("/" + name))
          .forEach(line -> lines.append(line).append('\n'));
    }
    return lines.append("done\n").toString();
  }

  private List<String> fetched(ComposedImage image) throws Exception {
    List<String> fetched = new ArrayList<>();
    for (ComposedImage.Layer layer : image.layers()) {
      fetched.addAll(fetched(layer.descriptor().digest()));
    }
    return fetched;
  }

  private List<String> manifestsAskedFor() throws Exception {
    Thread.sleep(100);
    return registry.requests().stream().filter(request -> request.contains("/manifests/")).toList();
  }

  /** What the registry gave of a blob; it logs an answer a moment after its end. */
  private List<String> fetched(Digest blob) throws Exception {
    Thread.sleep(100);
    return registry.requests().stream()
        .filter(request -> request.startsWith("GET") && request.contains(blob.toString()))
        .toList();
  }

  private String image(String tag) {
    return name("reader").replace("latest", tag);
  }

  private String name(String repository) {
    return registry.host() + "/" + repository + ":latest";
  }
}

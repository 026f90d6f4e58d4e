package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;
import static sluice.testing.ListingAssert.assertThatTree;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;
import sluice.core.Bytes;
import sluice.core.ImageDocument;
import sluice.testing.Fixtures;
import sluice.testing.ListingAssert;
import sluice.testing.ListingAssert.Loss;
import sluice.testing.Tree;
import sluice.testing.TreeEntry;

/** The images of all fixtures, and what each of them must show. */
final class FixtureImages {

  /** What writers of eStargz add to layers, and whoever streams a layer sees. */
  private static final Set<Bytes> ESTARGZ_FILES =
      Set.of(Bytes.utf8(".no.prefetch.landmark"), Bytes.utf8("stargz.index.json"));

  private static final String SOCI_LAYER = "com.amazon.soci.image-layer-digest";

  private FixtureImages() {}

  /**
   * Images and tags: ordinary ones, RAFS v6 (but {@code implicit}, which is wrong), TOCs, SOCI.
   * Ordinary ones come last of each image.
   */
  static Stream<Arguments> all() {
    List<Arguments> images = new ArrayList<>();
    for (String image : Fixtures.IMAGES) {
      for (String tag : Fixtures.of(image).tags().keySet()) {
        boolean rafs =
            tag.startsWith("nydus-") && !tag.endsWith("-v5") && !image.equals("implicit");
        if (rafs || hasToc(tag) || tag.equals("soci2")) {
          images.add(Arguments.of(image, tag));
        }
      }
      images.add(Arguments.of(image, Fixtures.SOURCE));
    }
    assertThat(images).hasSizeGreaterThan(50);
    return images.stream();
  }

  static boolean hasToc(String tag) {
    return (tag.startsWith("esgz") || tag.startsWith("zstdc-")) && !tag.endsWith("-esgztoc");
  }

  /**
   * The formats by which the layers of an image are served, sorted: the one of the tag, and no
   * other, but for what no index can say, and for layers of which there is none.
   */
  static Set<String> formats(String image, String tag) {
    if (isStreamed(image, tag)) {
      return Set.of("tar");
    }
    return tag.equals("soci2") ? ofSoci(Fixtures.of(image).listed(tag)) : Set.of(format(tag));
  }

  /** SOCI's tool makes no zTOC of a small layer. */
  private static Set<String> ofSoci(List<ImageDocument.Manifest> imageAndIndex) {
    List<String> indexed =
        imageAndIndex.getLast().layers().stream()
            .map(ztoc -> ztoc.annotations().getOrDefault(SOCI_LAYER, ""))
            .toList();
    return imageAndIndex.getFirst().layers().stream()
        .map(layer -> indexed.contains(layer.digest().toString()) ? "soci" : "tar")
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static String format(String tag) {
    if (tag.startsWith("nydus-")) {
      return "rafs";
    }
    if (tag.startsWith("esgz")) {
      return "estargz";
    }
    if (tag.startsWith("zstdc-")) {
      return "zstd-chunked";
    }
    return "tar";
  }

  /** A TOC is JSON, which cannot hold names that are not UTF-8. */
  private static boolean isStreamed(String image, String tag) {
    return image.equals("rawnames") && hasToc(tag);
  }

  /** Checks that a tree is the expected one, as far as the format of the tag holds it. */
  static void assertShows(Fixtures fixtures, String tag, Tree tree) throws IOException {
    boolean streamed = isStreamed(fixtures.directory().getFileName().toString(), tag);
    ListingAssert shown =
        assertThatTree(streamed ? withoutEstargzFiles(tree) : tree).as("%s:%s", fixtures, tag);
    if (tag.startsWith("nydus-")) {
      // nydus-image takes the root's attributes from a layer that names it, not "." or "./".
      shown.losing(Loss.NANOSECONDS, Loss.TIMES_BEFORE_1970).ignoringTimesOf("");
    } else if (tag.equals("zstdc-podman-old")) {
      shown.losing(Loss.EMPTY_XATTRS);
    } else if (hasToc(tag) && !streamed && !tag.equals("zstdc-podman")) {
      shown.losing(Loss.ROUNDED_TIMES);
    }
    shown.isTree(fixtures.expected());
  }

  private static Tree withoutEstargzFiles(Tree tree) {
    SortedMap<Bytes, TreeEntry> entries = new TreeMap<>(tree.entries());
    entries.keySet().removeAll(ESTARGZ_FILES);
    return () -> entries;
  }
}

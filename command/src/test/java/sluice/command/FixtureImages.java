package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;
import static sluice.testing.ListingAssert.assertThatTree;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;
import sluice.core.Bytes;
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

  /** Checks that a tree is the expected one, as far as the format of the tag holds it. */
  static void assertShows(Fixtures fixtures, String tag, Tree tree) throws IOException {
    boolean streamed = fixtures.directory().endsWith("rawnames") && hasToc(tag);
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

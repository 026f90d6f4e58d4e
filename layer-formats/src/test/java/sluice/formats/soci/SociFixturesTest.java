package sluice.formats.soci;

import static org.assertj.core.api.Assertions.assertThat;
import static sluice.testing.ListingAssert.assertThatTree;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import sluice.core.ByteRange;
import sluice.core.LayerFormat;
import sluice.formats.testing.ImageTree;
import sluice.testing.Fixtures;

/** Every image of the fixtures that has a SOCI index, all of it, against what is expected. */
class SociFixturesTest {

  @TempDir Path directory;

  static List<String> images() {
    List<String> images = ZtocFixtures.images();
    assertThat(images).hasSizeGreaterThan(5);
    return images;
  }

  static List<String> imagesOfV1() {
    List<String> images =
        Fixtures.IMAGES.stream()
            .filter(image ->
                Fixtures.of(image).tags().keySet().stream()
                    .anyMatch(tag -> tag.startsWith("sha256-")))
            .toList();
    assertThat(images).hasSizeGreaterThan(1);
    return images;
  }

  @ParameterizedTest
  @MethodSource("images")
  void index_v2_showsWhatIsExpectedAndFetchesTheIndexAlone(String image) throws Exception {
    Fixtures fixtures = Fixtures.of(image);
    SociImages images = new SociImages(fixtures, directory);
    List<LayerFormat.Layer> layers = SociImages.v2(fixtures);

    Path merged = images.merge(layers, SociImages.PINNED);

    // One request for the index; one for each zTOC and each prefetch artifact, or a layer without.
    int prefetch = image.equals("small") ? 2 : 0;
    assertThat(images.registry().asked()).hasSize(1);
    assertThat(images.source().requests()).isEqualTo(layers.size() + prefetch);
    assertThat(images.lazy()).hasSize(layers.size() - (image.equals("reader") ? 1 : 0));
    assertThatTree(ImageTree.of(merged, images.devices())).isTree(fixtures.expected());
  }

  @ParameterizedTest
  @MethodSource("imagesOfV1")
  void index_v1_showsWhatIsExpected(String image) throws Exception {
    Fixtures fixtures = Fixtures.of(image);
    SociImages images = new SociImages(fixtures, directory);
    List<LayerFormat.Layer> layers = SociImages.v1(fixtures);

    Path merged = images.merge(layers, SociImages.ALL);

    assertThat(images.registry().asked()).hasSize(2);
    assertThat(images.lazy()).hasSize(layers.size());
    assertThatTree(ImageTree.of(merged, images.devices())).isTree(fixtures.expected());
  }

  @Test
  void index_prefetchArtifact_becomesHints() throws Exception {
    Fixtures fixtures = Fixtures.of("small");
    SociImages images = new SociImages(fixtures, directory);
    images.merge(SociImages.v2(fixtures), SociImages.PINNED);
    assertThat(images.lazy().get(0).hints()).hasSize(1);
    assertThat(images.lazy().get(1).hints()).isEmpty();
    assertThat(images.lazy().get(2).hints()).hasSize(1);
    // Spans 2 to 5 decode to 2179564 to 7421473 of the tar.
    ByteRange range = images.lazy().getFirst().hints().getFirst().range();
    assertThat(range.offset()).isBetween(2_000_000L, 2_500_000L);
    assertThat(range.length()).isBetween(5_000_000L, 5_500_000L);
  }

  @Test
  void index_twice_givesTheSameBytes() throws Exception {
    Fixtures fixtures = Fixtures.of("small");
    Path one = Files.createDirectory(directory.resolve("1"));
    Path other = Files.createDirectory(directory.resolve("2"));
    Path merged = new SociImages(fixtures, one).merge(SociImages.v2(fixtures), SociImages.ALL);
    assertThat(new SociImages(fixtures, other).merge(SociImages.v2(fixtures), SociImages.ALL))
        .hasSameBinaryContentAs(merged);
    assertThat(one.resolve("ztoc")).doesNotExist();
  }
}

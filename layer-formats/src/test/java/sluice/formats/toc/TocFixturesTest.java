package sluice.formats.toc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static sluice.testing.ListingAssert.assertThatTree;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import sluice.core.ByteRange;
import sluice.core.CorruptException;
import sluice.core.LayerIndex.PrefetchHint;
import sluice.testing.Fixtures;
import sluice.testing.ListingAssert;
import sluice.testing.ListingAssert.Loss;

/** Every image that the peers' tools gave a TOC, all of it, against what it was made of. */
class TocFixturesTest {

  /** Their names became U+FFFD when the TOC was written. */
  private static final Set<String> LOST_NAMES = Set.of("rawnames");

  @TempDir Path directory;

  static Stream<Arguments> images() {
    List<Arguments> images = new ArrayList<>();
    for (String image : Fixtures.IMAGES) {
      for (String tag : Fixtures.of(image).tags().keySet()) {
        if (TocImage.isToc(tag) && !LOST_NAMES.contains(image)) {
          images.add(Arguments.of(image, tag));
        }
      }
    }
    assertThat(images).hasSize(30);
    return images.stream();
  }

  @ParameterizedTest
  @MethodSource("images")
  void index_everyImage_showsWhatIsExpected(String image, String tag) throws Exception {
    Fixtures fixture = Fixtures.of(image);
    TocImage indexed = TocImage.index(fixture, tag, directory);
    ListingAssert shown = assertThatTree(indexed.tree());
    switch (tag) {
      case "zstdc-podman" -> {}
      case "zstdc-podman-old" -> shown.losing(Loss.EMPTY_XATTRS);
      default -> shown.losing(Loss.ROUNDED_TIMES);
    }
    shown.isTree(fixture.expected());
  }

  @ParameterizedTest
  @ValueSource(strings = {"esgz", "zstdc-stargz", "zstdc-podman", "zstdc-podman-old"})
  void index_namesThatJsonCannotHold_isRefusedWithTheReason(String tag) {
    assertThatThrownBy(() -> TocImage.index(Fixtures.of("rawnames"), tag, directory))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("U+FFFD")
        .hasMessageContaining("cannot say what the layer holds")
        .hasMessageContaining("resource=layer sha256:");
  }

  @ParameterizedTest
  @MethodSource("requests")
  void index_fetchesTheTocsAlone(String image, String tag, long perLayer, long bytes)
      throws Exception {
    TocImage indexed = TocImage.index(Fixtures.of(image), tag, directory);
    assertThat(indexed.requests()).isEqualTo(perLayer);
    assertThat(indexed.bytes()).isLessThanOrEqualTo(bytes);
  }

  static Stream<Arguments> requests() {
    return Stream.of(
        Arguments.of("small", "esgz", 3, 2 * 65_536 + 5368),
        Arguments.of("small", "zstdc-stargz", 3, 28_055 + 3514 + 1224),
        Arguments.of("small", "zstdc-podman", 3, 18_495 + 2145 + 1472),
        Arguments.of("small", "zstdc-podman-old", 3, 20_670 + 2150 + 1484),
        Arguments.of("small", "esgz-ext", 1 + 1 + 3, 65_536 + 3493 + 32_653 + 1266));
  }

  @Test
  void index_twice_givesTheSameBytes() throws Exception {
    Fixtures small = Fixtures.of("small");
    TocImage one = TocImage.index(small, "zstdc-podman", directory.resolve("1"));
    TocImage other = TocImage.index(small, "zstdc-podman", directory.resolve("2"));
    assertThat(one.merged()).hasSameBinaryContentAs(other.merged());
  }

  @Test
  void index_prefetchLandmark_saysWhatComesFirst() throws Exception {
    TocImage optimized = TocImage.index(Fixtures.of("reader"), "esgz-opt", directory.resolve("1"));
    assertThat(optimized.hints())
        .as("bin/reader of 1480 bytes in one layer, data/text0 of 1500000 bytes in the next")
        .extracting(PrefetchHint::range)
        .containsExactly(new ByteRange(0, 4096), new ByteRange(0, 1_503_232));
    TocImage plain = TocImage.index(Fixtures.of("reader"), "esgz", directory.resolve("2"));
    assertThat(plain.hints()).isEmpty();
  }

  @Test
  void tags_ofTocImages_areNoImages() throws IOException {
    assertThat(TocImage.isToc("esgz-ext-esgztoc")).isFalse();
    assertThat(Fixtures.of("small").tags()).containsKey("esgz-ext-esgztoc");
  }
}

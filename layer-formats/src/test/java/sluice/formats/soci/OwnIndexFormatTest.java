package sluice.formats.soci;

import static org.assertj.core.api.Assertions.assertThat;
import static sluice.testing.ListingAssert.assertThatTree;

import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.IndexOrigin;
import sluice.core.IndexOrigin.Binding;
import sluice.core.LayerFormat;
import sluice.core.LayerFormat.Recognition;
import sluice.core.LayerIndex;
import sluice.erofs.MetadataImageMerge;
import sluice.formats.testing.ImageTree;
import sluice.formats.testing.PlainDevices;
import sluice.testing.Fixtures;
import sluice.testing.LayoutRangeSource;

/** Layers that are served from the index that was made when they streamed. */
@Timeout(120)
class OwnIndexFormatTest {

  @TempDir Path directory;

  static List<String> images() {
    return Fixtures.IMAGES;
  }

  @ParameterizedTest
  @MethodSource("images")
  void index_ownIndexes_showWhatIsExpected(String image) throws Exception {
    Fixtures fixtures = Fixtures.of(image);
    LayoutRangeSource source = new LayoutRangeSource();
    SociRegistry registry = new SociRegistry(fixtures);
    PlainDevices devices = new PlainDevices(directory, source);
    List<Path> trees = new ArrayList<>();
    try (Recorded recorded = new Recorded(directory, Recorded.spans(4 << 20))) {
      SociFormat format = format(source, registry, recorded);
      for (LayerFormat.Layer layer : SociImages.v1(fixtures)) {
        recorded.stream(layer, Files.readAllBytes(fixtures.blob(layer.descriptor().digest())));
        Path tree = directory.resolve("layer" + layer.position());
        Recognition.Tree own = (Recognition.Tree) format.recognise(layer, SociImages.PINNED);
        Descriptor ztoc =
            recorded
                .indexes()
                .find(layer.descriptor().digest(), layer.diffId())
                .map(OwnIndex::ztoc)
                .orElseThrow();
        assertThat(own.origin())
            .isEqualTo(
                new IndexOrigin(
                    Binding.LAYER, "index made on this node", ztoc.sizeBytes(), ztoc.digest()));
        assertThat(own.indexer().streams()).isFalse();
        long before = source.requests();
        LayerIndex index = own.indexer().index(tree, devices);
        assertThat(source.requests()).isEqualTo(before);
        assertThat(index.hints()).isEmpty();
        trees.add(tree);
      }
    }
    assertThat(registry.asked()).isEmpty();
    Path merged = directory.resolve("merged");
    MetadataImageMerge.merge(trees, merged);
    assertThatTree(ImageTree.of(merged, devices)).isTree(fixtures.expected());
  }

  @Test
  void recognise_anotherDiffId_doesNotUseTheIndex() throws Exception {
    Fixtures fixtures = Fixtures.of("second");
    LayerFormat.Layer layer = SociImages.v1(fixtures).getLast();
    try (Recorded recorded = new Recorded(directory, Recorded.spans(4 << 20))) {
      recorded.stream(layer, Files.readAllBytes(fixtures.blob(layer.descriptor().digest())));
      SociFormat format = format(new LayoutRangeSource(), new SociRegistry(fixtures), recorded);
      LayerFormat.Layer claimed =
          new LayerFormat.Layer(
              layer.image(), layer.position(), Digest.sha256(new byte[1]), layer.holders());
      assertThat(format.recognise(claimed, SociImages.PINNED))
          .isInstanceOf(Recognition.Refused.class);
      assertThat(format.recognise(layer, SociImages.PINNED)).isInstanceOf(Recognition.Tree.class);
    }
  }

  @Test
  void recognise_layerThatHasNone_saysWhy() throws Exception {
    Fixtures fixtures = Fixtures.of("second");
    LayerFormat.Layer layer = SociImages.v1(fixtures).getLast();
    try (Recorded recorded = new Recorded(directory, Recorded.spans(4 << 20))) {
      Path name = recorded.indexes().begin();
      try (var out = FileChannel.open(name, StandardOpenOption.WRITE)) {
        recorded
            .indexes()
            .publish(
                OwnIndex.none(layer.descriptor().digest(), layer.diffId(), "it is too round"),
                name,
                out);
      }
      SociFormat format = format(new LayoutRangeSource(), new SociRegistry(fixtures), recorded);
      assertThat(format.recognise(layer, SociImages.PINNED))
          .isInstanceOfSatisfying(
              Recognition.Refused.class,
              refused ->
                  assertThat(refused.reason())
                      .startsWith("no index was made on this node: it is too round; ")
                      .contains("nobody trusts referrers here"));
    }
  }

  private static SociFormat format(
      LayoutRangeSource source, SociRegistry registry, Recorded recorded) {
    return new SociFormat(source, registry, InstantSource.system(), recorded.indexes());
  }
}

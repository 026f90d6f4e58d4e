package sluice.formats.rafs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static sluice.testing.ListingAssert.assertThatTree;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import sluice.core.ByteRange;
import sluice.core.Bytes;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.DeviceIndex;
import sluice.core.Digest;
import sluice.core.ImageDocument;
import sluice.core.IndexTrust;
import sluice.core.LayerFormat;
import sluice.core.LayerFormat.Recognition;
import sluice.core.LayerIndex;
import sluice.core.Platform;
import sluice.erofs.MetadataImage;
import sluice.formats.testing.Images;
import sluice.formats.testing.SpoiledOnce;
import sluice.testing.Fixtures;
import sluice.testing.LayoutRangeSource;
import sluice.testing.ListingAssert.Loss;
import sluice.testing.Tree;

/** Images that nydus made, read whole. */
class RafsFormatTest {

  private final LayoutRangeSource source = new LayoutRangeSource();
  private final RafsFormat format = new RafsFormat(source);
  private final MemoryDevices devices = new MemoryDevices(source);

  @TempDir private Path directory;

  /** Every tag that holds RAFS v6. */
  static Stream<Arguments> images() {
    List<Arguments> images = new ArrayList<>();
    for (String image : Fixtures.IMAGES) {
      for (String tag : Fixtures.of(image).tags().keySet()) {
        boolean other = tag.endsWith("-v5") || tag.endsWith("-index");
        if (tag.startsWith("nydus-") && !other && !image.equals("implicit")) {
          images.add(Arguments.of(image, tag));
        }
      }
    }
    assertThat(images).hasSizeGreaterThan(10);
    return images.stream();
  }

  @ParameterizedTest
  @MethodSource("images")
  void index_showsTheExpectedTree(String image, String tag) throws Exception {
    Fixtures fixtures = Fixtures.of(image);
    LayerIndex index = index(fixtures, tag);
    assertThatTree(tree(index))
        .losing(Loss.NANOSECONDS, Loss.TIMES_BEFORE_1970)
        // nydus-image takes the root's attributes from a layer that names it, not "." or "./".
        .ignoringTimesOf("")
        .isTree(fixtures.expected());
  }

  /**
   * nydus-image itself loses a whiteout here, forgets attributes of directories and puts a file
   * into another one; what its bootstrap says is shown, and no more can be done.
   */
  @Test
  void index_ofImplicitDirectoriesShowsWhatNydusMadeOfThem() throws Exception {
    Tree tree = tree(index(Fixtures.of("implicit"), "nydus-zstd"));
    assertThat(tree.entries()).containsKeys(Bytes.utf8("m/1"), Bytes.utf8("z/other"));
  }

  /** Zran adds a byte of each layer: {@link ZranImageTest}. */
  static Stream<Arguments> imagesWithData() {
    return images().filter(arguments -> !"nydus-zran".equals(arguments.get()[1]));
  }

  @ParameterizedTest
  @MethodSource("imagesWithData")
  void index_fetchesTheBootstrapAlone(String image, String tag) throws Exception {
    Fixtures fixtures = Fixtures.of(image);
    index(fixtures, tag);
    assertThat(source.requests()).isEqualTo(1);
    assertThat(source.bytes()).isEqualTo(fixtures.document(tag).layers().getLast().sizeBytes());
  }

  @ParameterizedTest
  @MethodSource("images")
  void recognise_takesTheTopmostLayerForTheTreeAndTheOthersForData(String image, String tag) {
    Fixtures fixtures = Fixtures.of(image);
    int layers = fixtures.document(tag).layers().size();
    for (int i = 0; i < layers; i++) {
      assertThat(format.recognise(layer(fixtures, tag, i), IndexTrust.PINNED))
          .isInstanceOf(i == layers - 1 ? Recognition.ImageTree.class : Recognition.DataOnly.class);
    }
  }

  /** Anybody may annotate the uncompressed layer of another image, whose diff ID is its digest. */
  @Test
  void recognise_leavesAnOrdinaryLayerThatIsAnnotatedAsABlobToOthers() {
    Fixtures fixtures = Fixtures.of("reader");
    LayerFormat.Layer blob = layer(fixtures, "nydus-zstd", 0);
    ImageDocument.Manifest manifest = blob.manifest();
    List<Descriptor> layers = new ArrayList<>(manifest.layers());
    layers.set(
        0,
        new Descriptor(
            "application/vnd.oci.image.layer.v1.tar",
            blob.diffId(),
            blob.descriptor().sizeBytes(),
            Map.of(RafsFormat.BLOB_ANNOTATION, "true"),
            List.of(),
            null,
            null));
    LayerFormat.Image image =
        new LayerFormat.Image(
            blob.image().reference(),
            blob.image().digest(),
            new ImageDocument.Manifest(manifest.config(), layers, Map.of(), null, null));
    LayerFormat.Layer ordinary = new LayerFormat.Layer(image, 0, blob.diffId(), blob.holders());

    assertThat(format.recognise(ordinary, IndexTrust.PINNED))
        .isInstanceOf(Recognition.Foreign.class);
  }

  @Test
  void index_isTheSameTwice() throws Exception {
    LayerIndex first = index(Fixtures.of("small"), "nydus-batch");
    byte[] bytes = Files.readAllBytes(first.metadataImage());
    Files.delete(first.metadataImage());
    LayerIndex second = index(Fixtures.of("small"), "nydus-batch");
    assertThat(second).isEqualTo(first);
    assertThat(Files.readAllBytes(second.metadataImage())).isEqualTo(bytes);
  }

  @Test
  void index_leavesNothingButTheImage() throws Exception {
    LayerIndex index = index(Fixtures.of("one"), "nydus-zstd");
    try (Stream<Path> files = Files.list(directory)) {
      assertThat(files).containsExactly(index.metadataImage());
    }
  }

  @Test
  void index_firstHolderGivesAWrongByte_asksTheOther() throws Exception {
    SpoiledOnce spoiled = new SpoiledOnce(source);
    LayerFormat.Layer layer = bootstrapLayer(Fixtures.of("one"), "nydus-zstd");
    LayerIndex index = index(new RafsFormat(spoiled), layer);
    assertThat(spoiled.rejected()).containsExactly(layer.descriptor().digest());
    try (Stream<Path> files = Files.list(directory)) {
      assertThat(files).containsExactly(index.metadataImage());
    }
  }

  @Test
  void index_joinsTheChunksOfABatch() throws Exception {
    index(Fixtures.of("small"), "nydus-batch");
    int placements = 0;
    int chunks = 0;
    for (DeviceIndex device : devices.indexes()) {
      for (var chunk : device.chunks()) {
        chunks++;
        placements += chunk.placements().size();
      }
    }
    assertThat(placements).isEqualTo(190);
    assertThat(chunks).isEqualTo(26);
  }

  @Test
  void index_hintsAtEverythingWhereThePrefetchTableNamesTheRoot() throws Exception {
    LayerIndex index = index(Fixtures.of("small"), "nydus-zstd");
    assertThat(index.hints())
        .extracting(LayerIndex.PrefetchHint::device)
        .containsExactlyElementsOf(index.devices());
    assertThat(index.hints())
        .extracting(LayerIndex.PrefetchHint::range)
        .containsExactlyElementsOf(
            devices.indexes().stream().map(each -> new ByteRange(0, each.lengthBytes())).toList());
  }

  @Test
  void index_hintsAtFilesAndDirectoriesOfThePrefetchTable() throws Exception {
    LayerIndex index = index(Fixtures.of("reader"), "nydus-prefetch");
    long hinted = index.hints().stream().mapToLong(hint -> hint.range().length()).sum();
    var expected = Fixtures.of("reader").expected();
    long bin =
        expected.entries().entrySet().stream()
            .filter(entry -> entry.getKey().startsWith(Bytes.utf8("bin/")))
            .mapToLong(entry -> entry.getValue().size())
            .sum();
    assertThat(hinted).isEqualTo(bin + expected.entry("data/text1").size());
  }

  @Test
  void recognise_refusesRafsV5() {
    Fixtures fixtures = Fixtures.of("reader");
    for (int i = 0; i < fixtures.document("nydus-v5").layers().size(); i++) {
      Recognition recognition = format.recognise(layer(fixtures, "nydus-v5", i), IndexTrust.PINNED);
      assertThat(recognition).isInstanceOf(Recognition.Refused.class);
      assertThat(((Recognition.Refused) recognition).reason())
          .contains("RAFS v5, and Sluice reads only v6");
    }
  }

  @Test
  void index_refusesRafsV5ThatTheManifestHides() {
    assertThatThrownBy(() -> index(withoutHints(Fixtures.of("reader"), "nydus-v5")))
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("is RAFS v5");
  }

  @ParameterizedTest
  @ValueSource(strings = {"nydus-zstd", "nydus-zran"})
  void recognise_refusesABlobWhoseDiffIdIsNotItsDigest(String tag) {
    Fixtures fixtures = Fixtures.of("reader");
    LayerFormat.Layer layer = layer(fixtures, tag, 0);
    Recognition recognition =
        format.recognise(
            new LayerFormat.Layer(layer.image(), 0, Digest.sha256(new byte[1]), layer.holders()),
            IndexTrust.PINNED);
    assertThat(recognition).isInstanceOf(Recognition.Refused.class);
    assertThat(((Recognition.Refused) recognition).reason()).contains("diff-id");
  }

  @Test
  void index_refusesABootstrapThatIsNotItsDiffId() {
    Fixtures fixtures = Fixtures.of("reader");
    LayerFormat.Layer layer =
        layer(fixtures, "nydus-zstd", fixtures.document("nydus-zstd").layers().size() - 1);
    LayerFormat.Layer other =
        new LayerFormat.Layer(
            layer.image(), layer.position(), Digest.sha256(new byte[1]), layer.holders());
    assertThatThrownBy(() -> index(other))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("diff-id: sha256:");
    assertThat(devices.indexes()).isEmpty();
  }

  @Test
  void index_refusesABlobThatIsNoLayerOfTheImage() {
    Fixtures fixtures = Fixtures.of("reader");
    ImageDocument.Manifest manifest = fixtures.document("nydus-zstd");
    Descriptor bootstrap = manifest.layers().getLast();
    ImageDocument.Manifest alone =
        new ImageDocument.Manifest(
            manifest.config(), List.of(bootstrap), manifest.annotations(), null, null);
    LayerFormat.Layer layer =
        new LayerFormat.Layer(
            Images.of(fixtures.repository(), alone),
            0,
            fixtures.diffIds("nydus-zstd").getLast(),
            Set.of(fixtures.repository()));
    assertThatThrownBy(() -> index(layer))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("is no layer of the image");
  }

  @Test
  void recognise_leavesOrdinaryLayersToOthers() {
    assertThat(format.recognise(layer(Fixtures.of("reader"), "src", 0), IndexTrust.PINNED))
        .isInstanceOf(Recognition.Foreign.class);
  }

  @Test
  void isVariant_goesByArtifactTypeOrOsFeature() {
    Descriptor plain =
        new Descriptor("application/vnd.oci.image.manifest.v1+json", Digest.sha256(new byte[0]), 1);
    assertThat(format.isVariant(plain)).isFalse();
    assertThat(format.isVariant(with(plain, null, RafsFormat.ARTIFACT_TYPE))).isTrue();
    Platform platform = new Platform("linux", "amd64", "", List.of(RafsFormat.OS_FEATURE));
    assertThat(format.isVariant(with(plain, platform, null))).isTrue();
  }

  private static Descriptor with(
      Descriptor of, @Nullable Platform platform, @Nullable String artifactType) {
    return new Descriptor(
        of.mediaType(),
        of.digest(),
        of.sizeBytes(),
        Map.of(),
        List.of(),
        platform,
        artifactType,
        null);
  }

  private static LayerFormat.Layer layer(Fixtures fixtures, String tag, int position) {
    return new LayerFormat.Layer(
        Images.of(fixtures.repository(), fixtures.document(tag)),
        position,
        fixtures.diffIds(tag).get(position),
        Set.of(fixtures.repository()));
  }

  @Test
  void recognise_bootstrapBelowOtherLayers_isTheTreeUpToThere() {
    Fixtures fixtures = Fixtures.of("reader");
    ImageDocument.Manifest manifest = fixtures.document("nydus-zstd");
    List<Descriptor> layers = new ArrayList<>(manifest.layers());
    List<Digest> diffIds = new ArrayList<>(fixtures.diffIds("nydus-zstd"));
    Descriptor stray = layers.getFirst();
    layers.add(stray);
    diffIds.add(diffIds.getFirst());
    LayerFormat.Image image =
        Images.of(
            fixtures.repository(),
            new ImageDocument.Manifest(manifest.config(), layers, Map.of(), null, null));
    List<Recognition> recognitions = new ArrayList<>();
    for (int at = 0; at < layers.size(); at++) {
      recognitions.add(
          format.recognise(
              new LayerFormat.Layer(image, at, diffIds.get(at), Set.of(fixtures.repository())),
              IndexTrust.PINNED));
    }
    int bootstrap = layers.size() - 2;
    assertThat(recognitions.subList(0, bootstrap)).allMatch(Recognition.DataOnly.class::isInstance);
    assertThat(recognitions.get(bootstrap)).isInstanceOf(Recognition.ImageTree.class);
    assertThat(recognitions.getLast())
        .isEqualTo(
            new Recognition.Refused(
                "nydus blob %s has no nydus bootstrap above it, which would hold its tree"
                    .formatted(stray.digest())));
  }

  /** The bootstrap layer with nothing in the manifest that says what is inside. */
  private static LayerFormat.Layer withoutHints(Fixtures fixtures, String tag) {
    ImageDocument.Manifest manifest = fixtures.document(tag);
    List<Descriptor> layers = new ArrayList<>();
    for (Descriptor layer : manifest.layers()) {
      boolean last = layer.equals(manifest.layers().getLast());
      layers.add(
          new Descriptor(
              layer.mediaType(),
              layer.digest(),
              layer.sizeBytes(),
              last ? Map.of(RafsFormat.BOOTSTRAP_ANNOTATION, "true") : Map.of(),
              List.of(),
              null,
              null,
              null));
    }
    return new LayerFormat.Layer(
        Images.of(
            fixtures.repository(),
            new ImageDocument.Manifest(manifest.config(), layers, Map.of(), null, null)),
        layers.size() - 1,
        fixtures.diffIds(tag).getLast(),
        Set.of(fixtures.repository()));
  }

  private LayerIndex index(Fixtures fixtures, String tag) throws IOException, InterruptedException {
    return index(bootstrapLayer(fixtures, tag));
  }

  private static LayerFormat.Layer bootstrapLayer(Fixtures fixtures, String tag) {
    return layer(fixtures, tag, fixtures.document(tag).layers().size() - 1);
  }

  private LayerIndex index(LayerFormat.Layer layer) throws IOException, InterruptedException {
    return index(format, layer);
  }

  private LayerIndex index(RafsFormat format, LayerFormat.Layer layer)
      throws IOException, InterruptedException {
    Recognition recognition = format.recognise(layer, IndexTrust.PINNED);
    assertThat(recognition).isInstanceOf(Recognition.ImageTree.class);
    return ((Recognition.ImageTree) recognition)
        .indexer()
        .index(directory.resolve("tree.erofs"), devices);
  }

  private Tree tree(LayerIndex index) throws IOException, InterruptedException {
    try (MetadataImage image = MetadataImage.open(index.metadataImage())) {
      return ImageTree.read(image, devices, index.devices());
    }
  }
}

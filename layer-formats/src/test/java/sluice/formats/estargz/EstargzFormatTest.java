package sluice.formats.estargz;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.FetchException;
import sluice.core.ImageDocument;
import sluice.core.IndexOrigin;
import sluice.core.IndexOrigin.Binding;
import sluice.core.IndexTrust;
import sluice.core.LayerFormat;
import sluice.core.LayerFormat.Recognition;
import sluice.core.LayerIndex;
import sluice.formats.testing.Images;
import sluice.formats.testing.PlainDevices;
import sluice.formats.toc.FlakySource;
import sluice.formats.toc.LayoutDocuments;
import sluice.formats.toc.TocLayers;
import sluice.testing.Fixtures;
import sluice.testing.LayoutRangeSource;

class EstargzFormatTest {

  private static final String GZIP = "application/vnd.oci.image.layer.v1.tar+gzip";
  private static final String TOC =
      "{\"version\":1,\"entries\":[{\"name\":\"d\",\"type\":\"dir\",\"mode\":493}]}";
  private static final IndexTrust ALL = (layer, binding) -> Optional.empty();

  @TempDir Path directory;

  private static byte[] blob(byte[] toc) {
    return TocLayers.concat(new byte[200], toc, GzipFooterTest.embedded(200));
  }

  private static Map<String, String> pinned(String toc) {
    return Map.of(
        EstargzFormat.TOC_DIGEST_ANNOTATION, Digest.sha256(toc.getBytes(UTF_8)).toString());
  }

  private static EstargzFormat format(FlakySource source) {
    return new EstargzFormat(source, new LayoutDocuments());
  }

  private LayerIndex index(FlakySource source, LayerFormat.Layer layer, IndexTrust trust)
      throws Exception {
    if (format(source).recognise(layer, trust) instanceof Recognition.Tree(var indexer, var _)) {
      return indexer.index(directory.resolve("tree"), new PlainDevices(directory, source));
    }
    throw new AssertionError("not recognised");
  }

  @ParameterizedTest
  @CsvSource({
    "application/vnd.oci.image.layer.v1.tar+gzip, Tree",
    "application/vnd.docker.image.rootfs.diff.tar.gzip, Tree",
    "application/vnd.oci.image.layer.v1.tar+zstd, Foreign",
    "application/vnd.oci.image.layer.v1.tar, Foreign"
  })
  void recognise_goesByTheAnnotationAndAsksNobody(String mediaType, String expected)
      throws Exception {
    FlakySource source = new FlakySource(new byte[0], 0);
    Recognition recognition =
        format(source)
            .recognise(TocLayers.layer(mediaType, new byte[9], pinned(TOC)), IndexTrust.PINNED);
    assertThat(recognition.getClass().getSimpleName()).isEqualTo(expected);
    if (recognition instanceof Recognition.Tree(var indexer, IndexOrigin origin)) {
      assertThat(indexer.streams()).isFalse();
      assertThat(origin.binding()).isEqualTo(Binding.IMAGE);
      assertThat(origin.index()).isEqualTo(Digest.sha256(TOC.getBytes(UTF_8)));
    }
    assertThat(source.asked).isEmpty();
  }

  @Test
  void recognise_byAnnotation_namesBothPlacesOfTheToc() throws Exception {
    Fixtures small = Fixtures.of("small");
    LayerFormat.Layer tagged =
        new LayerFormat.Layer(
            Images.of(small, "esgz-ext"),
            0,
            small.diffIds("esgz-ext").getFirst(),
            Set.of(small.repository()));
    assertThat(place(tagged)).startsWith("TOC in the layer or in ").endsWith(":esgz-ext-esgztoc");
    assertThat(place(TocLayers.layer(GZIP, new byte[9], pinned(TOC))))
        .isEqualTo("TOC in the layer");
  }

  private static String place(LayerFormat.Layer layer) throws Exception {
    Recognition recognition =
        format(new FlakySource(new byte[0], 0)).recognise(layer, IndexTrust.PINNED);
    return ((Recognition.Tree) recognition).origin().place();
  }

  @ParameterizedTest
  @CsvSource({
    "x, sha256:…",
    "sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e, only SHA-256"
  })
  void recognise_annotationThatIsNoDigest_isRefused(String annotation, String reason)
      throws Exception {
    LayerFormat.Layer layer =
        TocLayers.layer(GZIP, new byte[9], Map.of(EstargzFormat.TOC_DIGEST_ANNOTATION, annotation));
    Recognition recognition =
        format(new FlakySource(new byte[0], 0)).recognise(layer, IndexTrust.PINNED);
    assertThat(recognition)
        .isInstanceOfSatisfying(
            Recognition.Refused.class, refused -> assertThat(refused.reason()).contains(reason));
  }

  @Test
  void recognise_withoutAnnotationOrTrust_asksNobody() throws Exception {
    byte[] blob = blob(TocLayers.gzippedTar(TOC));
    FlakySource source = new FlakySource(blob, 0);
    assertThat(format(source).recognise(TocLayers.layer(GZIP, blob, Map.of()), IndexTrust.PINNED))
        .isEqualTo(new Recognition.Foreign());
    Map<String, String> hint = Map.of("io.containers.estargz.uncompressed-size", "5");
    assertThat(format(source).recognise(TocLayers.layer(GZIP, blob, hint), IndexTrust.PINNED))
        .isInstanceOf(Recognition.Refused.class);
    assertThat(source.asked).isEmpty();
  }

  @Test
  void recognise_withTrust_findsFooters() throws Exception {
    byte[] toc = TocLayers.gzippedTar(TOC);
    byte[] legacy = TocLayers.concat(new byte[300], toc, GzipFooterTest.legacy(300));
    for (byte[] blob : List.of(blob(toc), legacy)) {
      FlakySource source = new FlakySource(blob, 0);
      LayerFormat.Layer layer = TocLayers.layer(GZIP, blob, Map.of());
      assertThat(format(source).recognise(layer, ALL))
          .isInstanceOfSatisfying(
              Recognition.Tree.class,
              tree ->
                  assertThat(tree.origin())
                      .extracting(IndexOrigin::binding, IndexOrigin::index)
                      .containsExactly(Binding.NOTHING, Digest.sha256(toc)));
      assertThat(source.asked).as("the footer, and the TOC before it").hasSize(2);
      assertThat(index(source, layer, ALL).devices()).isEmpty();
      assertThat(source.asked).as("what is small is kept").hasSize(4);
      Files.delete(directory.resolve("tree"));
    }
  }

  @Test
  void recognise_withTrustInKeysAlone_doesNotFetchWhatNobodySigned() throws Exception {
    byte[] blob = blob(TocLayers.gzippedTar(TOC));
    FlakySource source = new FlakySource(blob, 0);
    assertThat(format(source).recognise(TocLayers.layer(GZIP, blob, Map.of()), new KeysOnly()))
        .isEqualTo(new Recognition.Refused("no annotation names its TOC: not signed"));
    assertThat(source.asked).as("the footer").hasSize(1);
  }

  /** As settings that hold nothing but keys. */
  private static final class KeysOnly implements IndexTrust {
    @Override
    public Optional<String> refusal(LayerFormat.Layer layer, Binding binding) {
      return Optional.empty();
    }

    @Override
    public Optional<String> refusal(LayerFormat.Layer layer, IndexOrigin origin) {
      return origin.manifest() == null ? Optional.of("not signed") : Optional.empty();
    }
  }

  @Test
  void recognise_withTrust_ofAnOrdinaryLayer_isForeign() throws Exception {
    byte[] blob = new byte[1000];
    FlakySource source = new FlakySource(blob, 0);
    assertThat(format(source).recognise(TocLayers.layer(GZIP, blob, Map.of()), ALL))
        .isEqualTo(new Recognition.Foreign());
    assertThat(source.asked).containsExactly("949+51");
    assertThat(format(source).recognise(TocLayers.layer(GZIP, new byte[45], Map.of()), ALL))
        .isEqualTo(new Recognition.Foreign());
  }

  @Test
  void recognise_withTrust_findsExternalTocs() throws Exception {
    Fixtures small = Fixtures.of("small");
    LayoutDocuments documents = new LayoutDocuments();
    EstargzFormat format = new EstargzFormat(new LayoutRangeSource(), documents);
    LayerFormat.Image image = Images.of(small, "esgz-ext");
    for (int i = 0; i < 3; i++) {
      LayerFormat.Layer annotated =
          new LayerFormat.Layer(
              image, i, small.diffIds("esgz-ext").get(i), Set.of(small.repository()));
      Recognition recognition = format.recognise(withoutAnnotations(annotated), ALL);
      assertThat(recognition).isInstanceOf(Recognition.Tree.class);
      IndexOrigin origin = ((Recognition.Tree) recognition).origin();
      assertThat(origin.binding()).isEqualTo(Binding.NOTHING);
      assertThat(origin.place()).endsWith("small:esgz-ext-esgztoc");
      assertThat(origin.index()).isNotNull();
      assertThat(origin.manifest())
          .as("what a signature is about")
          .isEqualTo(small.descriptor("esgz-ext-esgztoc").digest());
      ((Recognition.Tree) recognition)
          .indexer()
          .index(directory.resolve("tree" + i), new PlainDevices(directory));
    }
    assertThat(documents.requests()).as("once for all layers").isEqualTo(1);
  }

  private static LayerFormat.Layer withoutAnnotations(LayerFormat.Layer layer) {
    Descriptor descriptor = layer.descriptor();
    Descriptor bare =
        new Descriptor(descriptor.mediaType(), descriptor.digest(), descriptor.sizeBytes());
    ImageDocument.Manifest manifest =
        new ImageDocument.Manifest(layer.manifest().config(), List.of(bare), Map.of(), null, null);
    return new LayerFormat.Layer(
        new LayerFormat.Image(layer.image().reference(), layer.image().digest(), manifest),
        0,
        layer.diffId(),
        layer.holders());
  }

  @Test
  void index_externalTocThatIsNotThere_saysWhichImage() throws Exception {
    byte[] blob = TocLayers.concat(new byte[200], GzipFooterTest.EXTERNAL);
    LayerFormat.Layer byDigest = TocLayers.layer(GZIP, blob, pinned(TOC));
    assertThatThrownBy(() -> index(new FlakySource(blob, 0), byDigest, IndexTrust.PINNED))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("-esgztoc, but there is no tag");
    LayerFormat.Image named = Images.of(Fixtures.of("one"), "esgz");
    LayerFormat.Layer byTag =
        new LayerFormat.Layer(
            new LayerFormat.Image(
                named.reference(), byDigest.image().digest(), byDigest.manifest()),
            0,
            byDigest.diffId(),
            byDigest.holders());
    FlakySource source = new FlakySource(blob, 0);
    assertThatThrownBy(() -> index(source, byTag, IndexTrust.PINNED))
        .isInstanceOf(FetchException.class)
        .hasMessageContaining("one:esgz-esgztoc");
    LayerFormat.Layer bare = withoutAnnotations(byTag);
    assertThatThrownBy(() -> format(source).recognise(bare, ALL))
        .isInstanceOf(FetchException.class)
        .hasMessageContaining("one:esgz-esgztoc");
  }

  @Test
  void index_otherTocThanTheAnnotations_isRefused() {
    byte[] blob = blob(TocLayers.gzippedTar(TOC));
    FlakySource source = new FlakySource(blob, 0);
    assertThatThrownBy(
            () -> index(source, TocLayers.layer(GZIP, blob, pinned(TOC + " ")), IndexTrust.PINNED))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("TOC digest: found " + Digest.sha256(TOC.getBytes(UTF_8)))
        .hasMessageContaining("expected " + Digest.sha256((TOC + " ").getBytes(UTF_8)));
    assertThat(source.asked).as("another holder may have the right one").hasSize(2);
    assertThat(source.rejected).hasSize(2);
    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void index_wrongBytesAtFirst_areFetchedOnceMore() throws Exception {
    byte[] blob = blob(TocLayers.gzippedTar(TOC));
    FlakySource source = new FlakySource(blob, 1);
    index(source, TocLayers.layer(GZIP, blob, pinned(TOC)), IndexTrust.PINNED);
    assertThat(source.asked).containsExactly("0+" + blob.length, "0+" + blob.length);
    assertThat(source.rejected).containsExactly(0L);
  }

  @Test
  void index_anyFlippedBitOfTheToc_isRefusedOrHarmless() throws Exception {
    byte[] toc = TocLayers.gzippedTar(TOC);
    int refused = 0;
    for (int bit = 0; bit < 8 * toc.length; bit += 3) {
      byte[] flipped = toc.clone();
      flipped[bit / 8] ^= (byte) (1 << bit % 8);
      byte[] blob = blob(flipped);
      try {
        index(
            new FlakySource(blob, 0), TocLayers.layer(GZIP, blob, pinned(TOC)), IndexTrust.PINNED);
        Files.delete(directory.resolve("tree"));
      } catch (CorruptException e) {
        assertThat(e).hasMessageContaining("resource=layer sha256:");
        refused++;
      }
    }
    assertThat(refused).isGreaterThan(2 * toc.length);
  }

  @Test
  void index_blobThatIsCut_isRefused() {
    byte[] whole = blob(TocLayers.gzippedTar(TOC));
    for (int length = 1; length < whole.length; length += 7) {
      byte[] blob = Arrays.copyOf(whole, length);
      assertThatThrownBy(() ->
              index(
                  new FlakySource(blob, 0),
                  TocLayers.layer(GZIP, blob, pinned(TOC)),
                  IndexTrust.PINNED))
          .isInstanceOf(CorruptException.class)
          .hasMessageContaining("footer: the last 51 bytes hold none of eStargz");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "stargz.index.json, 8589934591, at most 536870912",
    "stargz.index.json, 536870912, TOC: JSON",
    "other.json, 70, tar header"
  })
  void index_tarHeaderThatLies_isRefused(String name, long size, String problem) {
    byte[] blob = blob(TocLayers.gzippedTar(name, size, TOC.getBytes(UTF_8)));
    assertThatThrownBy(() ->
            index(
                new FlakySource(blob, 0),
                TocLayers.layer(GZIP, blob, pinned(TOC)),
                IndexTrust.PINNED))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining(problem);
  }

  @Test
  void index_footerThatLeadsNowhere_isRefused() {
    for (long offset : new long[] {-1, 1 << 20, 251}) {
      byte[] blob = TocLayers.concat(new byte[251], GzipFooterTest.embedded(offset));
      assertThatThrownBy(() ->
              index(
                  new FlakySource(blob, 0),
                  TocLayers.layer(GZIP, blob, pinned(TOC)),
                  IndexTrust.PINNED))
          .isInstanceOf(CorruptException.class)
          .hasMessageContaining("footer: TOC at %s".formatted(Long.toUnsignedString(offset)));
    }
  }

  @Test
  void index_tocThatIsNone_isRefusedOnceItIsVerified() {
    String none = "{\"version\":1,\"entries\":[{\"name\":\"a\\ufffd\"}]}";
    byte[] blob = blob(TocLayers.gzippedTar(none));
    FlakySource source = new FlakySource(blob, 0);
    assertThatThrownBy(
            () -> index(source, TocLayers.layer(GZIP, blob, pinned(none)), IndexTrust.PINNED))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("U+FFFD");
    assertThat(source.asked).as("nobody else has another one").hasSize(1);
    assertThat(source.rejected).isEmpty();
  }
}

package sluice.formats.rafs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static sluice.testing.ListingAssert.assertThatTree;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import sluice.core.ByteRange;
import sluice.core.Bytes;
import sluice.core.Chunk;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.DeviceIndex;
import sluice.core.Digest;
import sluice.core.FetchException;
import sluice.core.ImageDocument;
import sluice.core.IndexTrust;
import sluice.core.Lane;
import sluice.core.LayerFormat;
import sluice.core.LayerIndex;
import sluice.core.LayerIndex.PrefetchHint;
import sluice.core.RangeSource;
import sluice.core.Repository;
import sluice.erofs.Mapping;
import sluice.erofs.MetadataImage;
import sluice.formats.testing.Images;
import sluice.testing.Fixtures;
import sluice.testing.LayoutRangeSource;
import sluice.testing.ListingAssert.Loss;

/** Images that refer into ordinary gzip layers: what is fetched, and what is not there. */
class ZranImageTest {

  private final LayoutRangeSource source = new LayoutRangeSource();
  private final MemoryDevices devices = new MemoryDevices(source);

  @TempDir private Path directory;

  @ParameterizedTest
  @ValueSource(strings = {"small", "reader", "second", "deep", "one", "rawnames", "empty"})
  void index_asksForTheBootstrapAndAByteOfEachLayer(String image) throws Exception {
    Fixtures fixtures = Fixtures.of(image);
    LayerIndex index = index(layer(fixtures), source);
    assertThat(source.requests()).isEqualTo(1 + index.devices().size());
    assertThat(source.bytes())
        .isEqualTo(
            fixtures.document(ZranImage.TAG).layers().getLast().sizeBytes()
                + index.devices().size());
  }

  @ParameterizedTest
  @ValueSource(strings = {"small", "reader", "second", "deep", "rawnames", "empty"})
  void index_withoutContextsInTheBootstrapLayer_fetchesTheirBlobs(String image) throws Exception {
    Fixtures fixtures = Fixtures.of(image);
    LayerIndex index = index(ZranImage.of(image, directory).layer(), source);
    assertThat(source.requests()).isEqualTo(1 + 2L * index.devices().size());
    assertShows(index, fixtures);
    assertThat(devices.indexes())
        .extracting(DeviceIndex::blob)
        .isSubsetOf(layers(fixtures, Fixtures.SOURCE));
  }

  @Test
  void index_hasOneChunkForEachContext() throws Exception {
    index(layer(Fixtures.of("small")), source);
    int placements = 0;
    List<ByteRange> encoded = new ArrayList<>();
    for (DeviceIndex device : devices.indexes()) {
      for (Chunk chunk : device.chunks()) {
        encoded.add(chunk.encoded());
        placements += chunk.placements().size();
      }
    }
    assertThat(placements).isEqualTo(190);
    assertThat(encoded).doesNotHaveDuplicates().hasSizeBetween(15, 18);
  }

  @Test
  void read_ofOneFile_fetchesItsContextAlone() throws Exception {
    LayerIndex index = index(layer(Fixtures.of("reader")), source);
    Mapping file = map(index, "data/noise0");
    long requests = source.requests();
    long bytes = source.bytes();
    devices.read(index.devices().get(file.device()), file.deviceOffset(), 4096);
    assertThat(source.requests()).isEqualTo(requests + 1);
    assertThat(source.bytes()).isEqualTo(bytes + 88960);
  }

  @Test
  void index_whereAReferencedLayerIsNotThere_saysWhatToDo() throws IOException {
    Fixtures fixtures = Fixtures.of("reader");
    Path copy = directory.resolve("copy");
    Files.createDirectories(copy.resolve("blobs/sha256"));
    List<Digest> kept = new ArrayList<>(layers(fixtures, ZranImage.TAG));
    List<Digest> referenced = layers(fixtures, Fixtures.SOURCE);
    kept.addAll(referenced.subList(0, 2));
    for (Digest blob : kept) {
      Files.copy(fixtures.blob(blob), copy.resolve("blobs/sha256").resolve(blob.hex()));
    }
    LayerFormat.Layer there = layer(fixtures);
    Repository holder = new Repository.InLayout(copy);
    LayerFormat.Layer moved =
        new LayerFormat.Layer(there.image(), there.position(), there.diffId(), Set.of(holder));

    assertThatThrownBy(() -> index(moved, source))
        .isInstanceOfSatisfying(
            FetchException.class,
            e -> assertThat(e.reason()).isEqualTo(FetchException.Reason.NOT_FOUND))
        .hasMessageContaining("layer " + referenced.getLast() + ", into which")
        .hasMessageContaining("is not in [" + holder + "]")
        .hasMessageContaining("its last byte of 49481")
        .hasMessageContaining("push the image it was made from (127.0.0.1:5055/a/reader:src)");
    assertThat(devices.indexes()).isEmpty();
  }

  @Test
  void index_whereAReferencedLayerIsShorter_isAnErrorOfTheSource() throws IOException {
    ZranImage image = ZranImage.of("reader", directory);
    image.bootstrap.putLong(image.blobEntry(1) + 88, 1 << 20);
    assertThatThrownBy(() -> index(image.layer(), source))
        .isInstanceOf(IOException.class)
        .isNotInstanceOf(CorruptException.class)
        .hasMessageContaining(layers(Fixtures.of("reader"), Fixtures.SOURCE).get(1).toString());
  }

  @Test
  void index_whereTheManifestDoesNotReferToTheLayer_isCorrupt() throws IOException {
    ZranImage image = ZranImage.of("one", directory);
    Descriptor blob = Fixtures.of("one").document(ZranImage.TAG).layers().getFirst();
    Descriptor other =
        new Descriptor(
            blob.mediaType(),
            blob.digest(),
            blob.sizeBytes(),
            Map.of(RafsFormat.REFERENCE_ANNOTATION, Digest.sha256(new byte[0]).toString()),
            List.of(),
            null,
            null);
    assertThatThrownBy(() -> index(image.layer(List.of(other, blob)), source))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("which the manifest says to refer to sha256:e3b0c442");
    assertThatThrownBy(() -> index(image.layer(List.of(blob)), source))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("which the manifest says to refer to no layer");
  }

  @Test
  void index_ofAnotherTableOfContents_isCorrupt() throws Exception {
    ZranImage image = ZranImage.of("one", directory);
    int toc = image.blobEntry(0) + 136;
    image.bootstrap.put(toc, (byte) (image.bootstrap.get(toc) ^ 1));
    assertThatThrownBy(() -> index(image.layer(), source))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("rafs.blob.toc: not sha256:");

    image.bootstrap.put(toc, new byte[32]);
    assertShows(index(image.layer(), source), Fixtures.of("one"));
  }

  @Test
  void index_ofAWrongBlob_asksAnotherHolderOnce() throws Exception {
    Lying once = new Lying(source, 1);
    assertShows(index(ZranImage.of("one", directory).layer(), once), Fixtures.of("one"));
    assertThat(once.rejected).containsExactly(layers(Fixtures.of("one"), ZranImage.TAG).getFirst());

    Lying always = new Lying(source, 2);
    assertThatThrownBy(() -> index(ZranImage.of("one", directory).layer(), always))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("digest: sha256:")
        .hasMessageContaining("nydus blob " + layers(Fixtures.of("one"), ZranImage.TAG).getFirst());
  }

  @Test
  void index_leavesNothingButTheImage() throws Exception {
    Path layout = directory.resolve("layout");
    LayerIndex index = index(ZranImage.of("small", layout).layer(), source);
    try (var files = Files.list(directory)) {
      assertThat(files).containsExactlyInAnyOrder(index.metadataImage(), layout);
    }
  }

  @Test
  void index_hintsInTheOrderOfThePrefetchTable() throws Exception {
    List<PrefetchHint> forward = hints("data/text1", "bin/reader");
    assertThat(forward).hasSizeGreaterThan(1);
    List<PrefetchHint> backward = hints("bin/reader", "data/text1");
    assertThat(new HashSet<>(backward)).isEqualTo(new HashSet<>(forward));
    assertThat(backward.getFirst()).isNotEqualTo(forward.getFirst());
    assertThat(backward.getLast()).isEqualTo(forward.get(0));
  }

  /** The hints where the prefetch table names two files. */
  private List<PrefetchHint> hints(String first, String second) throws Exception {
    ZranImage image = ZranImage.of("reader", directory);
    Path boot = Files.write(directory.resolve("boot"), image.bootstrap.array());
    try (MetadataImage tree = MetadataImage.open(boot)) {
      int table = (int) image.bootstrap.getLong(image.prefetchField());
      image.bootstrap.putInt(image.prefetchField() + 8, 2 * Integer.BYTES);
      image.bootstrap.putInt(table, (int) nid(tree, first));
      image.bootstrap.putInt(table + Integer.BYTES, (int) nid(tree, second));
      LayerIndex index = index(image.layer(), source);
      assertThat(index.hints()).extracting(PrefetchHint::device).isSubsetOf(index.devices());
      Mapping file = tree.map(tree.inode(nid(tree, first)), 0);
      assertThat(index.hints().getFirst().device()).isEqualTo(index.devices().get(file.device()));
      assertThat(index.hints().getFirst().range().offset()).isEqualTo(file.deviceOffset());
      return index.hints();
    }
  }

  private static long nid(MetadataImage image, String path) throws IOException {
    long nid = image.rootNid();
    for (String name : path.split("/", -1)) {
      nid = image.lookup(nid, Bytes.utf8(name));
    }
    return nid;
  }

  private static Mapping map(LayerIndex index, String path) throws IOException {
    try (MetadataImage image = MetadataImage.open(index.metadataImage())) {
      return image.map(image.inode(nid(image, path)), 0);
    }
  }

  private static List<Digest> layers(Fixtures fixtures, String tag) {
    return fixtures.document(tag).layers().stream().map(Descriptor::digest).toList();
  }

  private static LayerFormat.Layer layer(Fixtures fixtures) {
    ImageDocument.Manifest manifest = fixtures.document(ZranImage.TAG);
    return new LayerFormat.Layer(
        Images.of(fixtures.repository(), manifest),
        manifest.layers().size() - 1,
        fixtures.diffIds(ZranImage.TAG).getLast(),
        Set.of(fixtures.repository()));
  }

  private LayerIndex index(LayerFormat.Layer layer, RangeSource from)
      throws IOException, InterruptedException {
    Path tree = directory.resolve("tree.erofs");
    Files.deleteIfExists(tree);
    LayerFormat.Recognition recognition = new RafsFormat(from).recognise(layer, IndexTrust.PINNED);
    assertThat(recognition).isInstanceOf(LayerFormat.Recognition.ImageTree.class);
    return ((LayerFormat.Recognition.ImageTree) recognition).indexer().index(tree, devices);
  }

  private void assertShows(LayerIndex index, Fixtures fixtures) throws Exception {
    try (MetadataImage image = MetadataImage.open(index.metadataImage())) {
      assertThatTree(ImageTree.read(image, devices, index.devices()))
          .losing(Loss.NANOSECONDS, Loss.TIMES_BEFORE_1970)
          .ignoringTimesOf("")
          .isTree(fixtures.expected());
    }
  }

  /** Gives bytes of its own instead of a nydus blob, a few times. */
  private static final class Lying implements RangeSource {
    private final RangeSource source;
    private final List<Digest> rejected = new ArrayList<>();
    private int lies;

    Lying(RangeSource source, int lies) {
      this.source = source;
      this.lies = lies;
    }

    @Override
    public void read(Digest blob, Set<Repository> holders, long offset, ByteBuffer into, Lane lane)
        throws IOException, InterruptedException {
      source.read(blob, holders, offset, into, lane);
    }

    @Override
    public InputStream open(Digest blob, Set<Repository> holders, Lane lane)
        throws IOException, InterruptedException {
      boolean nydus = layers(Fixtures.of("one"), ZranImage.TAG).getFirst().equals(blob);
      return nydus && lies-- > 0
          ? new ByteArrayInputStream(new byte[1 << 20])
          : source.open(blob, holders, lane);
    }

    @Override
    public void rejected(Digest blob, Set<Repository> holders, long offset) {
      rejected.add(blob);
    }
  }
}

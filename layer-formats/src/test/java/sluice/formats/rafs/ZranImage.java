package sluice.formats.rafs;

import static org.assertj.core.api.Assertions.assertThat;
import static sluice.testing.ListingAssert.assertThatTree;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import sluice.core.Descriptor;
import sluice.core.DeviceStore;
import sluice.core.Digest;
import sluice.core.ImageDocument;
import sluice.core.IndexTrust;
import sluice.core.LayerFormat;
import sluice.core.LayerIndex;
import sluice.core.RangeSource;
import sluice.core.Repository;
import sluice.erofs.MetadataImage;
import sluice.formats.testing.Images;
import sluice.testing.Fixtures;
import sluice.testing.ListingAssert.Loss;

/**
 * A {@code nydus-zran} fixture whose bootstrap layer is written again, as older converters wrote
 * it: with nothing but the bootstrap in it, which a test may change before.
 */
final class ZranImage {

  static final String TAG = "nydus-zran";

  private static final int EXTENSION = 1152;

  private final Fixtures fixtures;
  private final Path layout;

  /** The bootstrap. */
  final ByteBuffer bootstrap;

  private ZranImage(Fixtures fixtures, Path layout, byte[] bootstrap) {
    this.fixtures = fixtures;
    this.layout = layout;
    this.bootstrap = ByteBuffer.wrap(bootstrap).order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * @param layout gets the new bootstrap layer
   */
  static ZranImage of(String image, Path layout) throws IOException {
    Fixtures fixtures = Fixtures.of(image);
    Files.createDirectories(layout.resolve("blobs/sha256"));
    byte[] bootstrap = files(fixtures).getOrDefault("image/image.boot", new byte[0]);
    return new ZranImage(fixtures, layout, bootstrap);
  }

  /** What the fixture's bootstrap layer holds, by name. */
  static Map<String, byte[]> files(Fixtures fixtures) throws IOException {
    Map<String, byte[]> files = new HashMap<>();
    Digest layer = fixtures.document(TAG).layers().getLast().digest();
    try (InputStream in = new GZIPInputStream(Files.newInputStream(fixtures.blob(layer)));
        TarArchiveInputStream tar = new TarArchiveInputStream(in)) {
      for (TarArchiveEntry each = tar.getNextEntry(); each != null; each = tar.getNextEntry()) {
        files.put(each.getName(), tar.readAllBytes());
      }
    }
    return files;
  }

  /** Where the entry of a blob begins in the bootstrap. */
  int blobEntry(int index) {
    return (int) bootstrap.getLong(EXTENSION + 8) + index * BlobEntry.BYTES;
  }

  /** Where the superblock says how the prefetch table lies. */
  int prefetchField() {
    return EXTENSION + 40;
  }

  /** The bootstrap layer as it is now, in a manifest with the fixture's other layers. */
  LayerFormat.Layer layer() throws IOException {
    return layer(fixtures.document(TAG).layers());
  }

  /** As {@link #layer()}, with other layers below; the last of {@code layers} is left out. */
  LayerFormat.Layer layer(List<Descriptor> layers) throws IOException {
    byte[] tar = RawNydusTest.tar(bootstrap.array());
    Digest digest = Digest.sha256(tar);
    Files.write(layout.resolve("blobs/sha256").resolve(digest.hex()), tar);
    List<Descriptor> all = new ArrayList<>(layers.subList(0, layers.size() - 1));
    all.add(
        new Descriptor(
            "application/vnd.oci.image.layer.v1.tar",
            digest,
            tar.length,
            Map.of(RafsFormat.BOOTSTRAP_ANNOTATION, "true"),
            List.of(),
            null,
            null));
    ImageDocument.Manifest manifest = fixtures.document(TAG);
    return new LayerFormat.Layer(
        Images.of(
            fixtures.repository(),
            new ImageDocument.Manifest(manifest.config(), all, manifest.annotations(), null, null)),
        all.size() - 1,
        digest,
        Set.of(new Repository.InLayout(layout), fixtures.repository()));
  }

  /** The fixture's bootstrap layer as it is. */
  static LayerFormat.Layer unchanged(Fixtures fixtures) {
    ImageDocument.Manifest manifest = fixtures.document(TAG);
    return new LayerFormat.Layer(
        Images.of(fixtures.repository(), manifest),
        manifest.layers().size() - 1,
        fixtures.diffIds(TAG).getLast(),
        Set.of(fixtures.repository()));
  }

  /** Digests of the layers of {@code tag}. */
  static List<Digest> layers(Fixtures fixtures, String tag) {
    return fixtures.document(tag).layers().stream().map(Descriptor::digest).toList();
  }

  /** Makes the index of a bootstrap layer, in place of what an earlier call made. */
  static LayerIndex index(
      LayerFormat.Layer layer, RangeSource source, DeviceStore devices, Path directory)
      throws IOException, InterruptedException {
    Path tree = directory.resolve("tree.erofs");
    Files.deleteIfExists(tree);
    LayerFormat.Recognition recognition =
        new RafsFormat(source).recognise(layer, IndexTrust.PINNED);
    assertThat(recognition).isInstanceOf(LayerFormat.Recognition.ImageTree.class);
    return ((LayerFormat.Recognition.ImageTree) recognition).indexer().index(tree, devices);
  }

  /** Asserts that the tree is the fixture's, as far as RAFS can hold it. */
  static void assertShows(LayerIndex index, MemoryDevices devices, Fixtures fixtures)
      throws IOException, InterruptedException {
    try (MetadataImage image = MetadataImage.open(index.metadataImage())) {
      assertThatTree(ImageTree.read(image, devices, index.devices()))
          .losing(Loss.NANOSECONDS, Loss.TIMES_BEFORE_1970)
          .ignoringTimesOf("")
          .isTree(fixtures.expected());
    }
  }
}

package sluice.formats.rafs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static sluice.testing.ListingAssert.assertThatTree;

import com.github.luben.zstd.Zstd;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.ImageDocument;
import sluice.core.IndexTrust;
import sluice.core.LayerFormat;
import sluice.core.LayerIndex;
import sluice.core.Repository;
import sluice.erofs.MetadataImage;
import sluice.formats.testing.Images;
import sluice.testing.ExpectedListing;
import sluice.testing.Fixtures;
import sluice.testing.LayoutRangeSource;
import sluice.testing.ListingAssert.Loss;

/** What nydus-image writes of one layer, in each of its forms, put into an image by hand. */
class RawNydusTest {

  private static final int TAR_HEADER_BYTES = 512;
  private static final int TOC_ENTRY_BYTES = 128;

  private final LayoutRangeSource source = new LayoutRangeSource();
  private final MemoryDevices devices = new MemoryDevices(source);

  @TempDir private Path directory;

  @ParameterizedTest
  @ValueSource(strings = {"separate", "sha256", "inline", "inline-toc"})
  void index_showsTheExpectedTree(String form) throws Exception {
    LayerIndex index = index(form);
    try (MetadataImage image = MetadataImage.open(index.metadataImage())) {
      assertThatTree(ImageTree.read(image, devices, index.devices()))
          .losing(Loss.NANOSECONDS, Loss.TIMES_BEFORE_1970)
          .ignoringTimesOf("")
          .isTree(ExpectedListing.read(Fixtures.root().resolve("raw-nydus.expected.jsonl")));
    }
    assertThat(index.hints()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "encrypt, 'refers to encrypted blobs, and Sluice has no way to get their keys'",
    "tarfs, 'is a tarfs bootstrap with blocks of 2^9 bytes; its chunks have no digests'"
  })
  void index_refusesWithAReason(String form, String reason) {
    assertThatThrownBy(() -> index(form))
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining(reason);
    assertThat(devices.indexes()).isEmpty();
  }

  private LayerIndex index(String form) throws IOException, InterruptedException {
    Path raw = Fixtures.root().resolve("raw-nydus").resolve(form);
    byte[] bootstrap = named(bootstrap(raw));
    Path blobs = Files.createDirectories(directory.resolve("blobs/sha256"));
    byte[] tar = tar(bootstrap);
    Digest bootstrapLayer = Digest.sha256(tar);
    Files.write(blobs.resolve(bootstrapLayer.hex()), tar);
    Digest blob = new Digest(Digest.Algorithm.SHA256, blobId(bootstrap));
    long length = 0;
    if (Files.exists(raw.resolve("blob"))) {
      Files.copy(raw.resolve("blob"), blobs.resolve(blob.hex()));
      length = Files.size(raw.resolve("blob"));
    }
    Descriptor data = new Descriptor(RafsFormat.BLOB_MEDIA_TYPE, blob, length);
    Descriptor top =
        new Descriptor(
            "application/vnd.oci.image.layer.v1.tar",
            bootstrapLayer,
            tar.length,
            Map.of(RafsFormat.BOOTSTRAP_ANNOTATION, "true"),
            List.of(),
            null,
            null,
            null);
    LayerFormat.Layer layer =
        new LayerFormat.Layer(
            Images.of(
                new Repository.InLayout(directory),
                new ImageDocument.Manifest(top, List.of(data, top), Map.of(), null, null)),
            1,
            bootstrapLayer,
            Set.of(new Repository.InLayout(directory)));
    LayerFormat.Recognition recognition =
        new RafsFormat(source).recognise(layer, IndexTrust.PINNED);
    assertThat(recognition).isInstanceOf(LayerFormat.Recognition.ImageTree.class);
    return ((LayerFormat.Recognition.ImageTree) recognition)
        .indexer()
        .index(directory.resolve("tree.erofs"), devices);
  }

  /** Inlined, the bootstrap cannot know the blob's id, and merging fills it in; so does this. */
  private static byte[] named(byte[] bootstrap) {
    byte[] id = "0123456789abcdef".repeat(4).getBytes(StandardCharsets.US_ASCII);
    if (blobId(bootstrap).equals("x".repeat(64))) {
      int table = ByteBuffer.wrap(bootstrap).order(ByteOrder.LITTLE_ENDIAN).getInt(1152 + 8);
      System.arraycopy(id, 0, bootstrap, table, id.length);
      System.arraycopy(id, 0, bootstrap, 0x580, id.length);
    }
    return bootstrap;
  }

  private static String blobId(byte[] bootstrap) {
    int table = ByteBuffer.wrap(bootstrap).order(ByteOrder.LITTLE_ENDIAN).getInt(1152 + 8);
    return new String(bootstrap, table, 64, StandardCharsets.US_ASCII);
  }

  /** The file, or what the blob has at its end: the entry's tar header comes after its content. */
  private static byte[] bootstrap(Path raw) throws IOException {
    if (Files.exists(raw.resolve("image.boot"))) {
      return Files.readAllBytes(raw.resolve("image.boot"));
    }
    byte[] blob = Files.readAllBytes(raw.resolve("blob"));
    int header = blob.length - TAR_HEADER_BYTES;
    String name = new String(blob, header, 100, StandardCharsets.US_ASCII).replace("\0", "");
    int size = Integer.parseInt(new String(blob, header + 124, 11, StandardCharsets.US_ASCII), 8);
    byte[] last = Arrays.copyOfRange(blob, header - size, header);
    return name.equals("image.boot") ? last : fromToc(blob, last);
  }

  private static byte[] fromToc(byte[] blob, byte[] toc) {
    for (int at = 0; at < toc.length; at += TOC_ENTRY_BYTES) {
      String name = new String(toc, at + 8, 16, StandardCharsets.US_ASCII).replace("\0", "");
      if (name.equals("image.boot")) {
        ByteBuffer entry = ByteBuffer.wrap(toc).order(ByteOrder.LITTLE_ENDIAN);
        int offset = (int) entry.getLong(at + 56);
        int length = (int) entry.getLong(at + 64);
        return Zstd.decompress(
            Arrays.copyOfRange(blob, offset, offset + length), (int) entry.getLong(at + 72));
      }
    }
    throw new AssertionError("no image.boot in the table of contents");
  }

  static byte[] tar(byte[] bootstrap) throws IOException {
    ByteArrayOutputStream tar = new ByteArrayOutputStream();
    try (TarArchiveOutputStream out = new TarArchiveOutputStream(tar)) {
      TarArchiveEntry entry = new TarArchiveEntry("image/image.boot");
      entry.setSize(bootstrap.length);
      out.putArchiveEntry(entry);
      out.write(bootstrap);
      out.closeArchiveEntry();
    }
    return tar.toByteArray();
  }
}

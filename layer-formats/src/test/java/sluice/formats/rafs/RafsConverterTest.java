package sluice.formats.rafs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;
import static sluice.testing.ListingAssert.assertThatTree;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import sluice.core.Bytes;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.ImageDocument;
import sluice.core.LayerFormat;
import sluice.core.LayerIndex;
import sluice.core.Repository;
import sluice.erofs.MetadataImage;
import sluice.testing.Fixtures;
import sluice.testing.LayoutRangeSource;
import sluice.testing.ListingAssert.Loss;
import sluice.testing.Tree;
import sluice.testing.TreeEntry;

/** What we write, read back by ourselves and by nydus-image. */
class RafsConverterTest {

  private static final long TIMEOUT_SECONDS = 60;

  private final LayoutRangeSource source = new LayoutRangeSource();
  private final MemoryDevices devices = new MemoryDevices(source);

  @TempDir private Path directory;

  @ParameterizedTest
  @CsvSource({
    "small, nydus-zstd, SHA256, 1048576",
    "small, nydus-batch, BLAKE3, 65536",
    "reader, nydus-zstd, SHA256, 4096",
    "deep, nydus-zstd, BLAKE3, 1048576",
    "rawnames, nydus-zstd, SHA256, 1048576",
    "one, nydus-zstd, SHA256, 1048576",
    "pause, nydus-zstd, SHA256, 16777216",
    "empty, nydus-zstd, SHA256, 1048576"
  })
  void convert_isReadBackWithTheSameTree(
      String image, String tag, Digest.Algorithm digester, int chunkBytes) throws Exception {
    Fixtures fixtures = Fixtures.of(image);
    RafsConverter.Options options = new RafsConverter.Options(digester, chunkBytes, 3);
    RafsConverter.Converted converted = convert(fixtures, tag, options);
    LayerIndex index = index(converted);
    try (MetadataImage tree = MetadataImage.open(index.metadataImage())) {
      assertThatTree(ImageTree.read(tree, devices, index.devices()))
          .losing(Loss.NANOSECONDS, Loss.TIMES_BEFORE_1970)
          .ignoringTimesOf("")
          .isTree(fixtures.expected());
    }
  }

  @Test
  void convert_givesTheSameBytesTwice() throws Exception {
    RafsConverter.Converted first =
        convert(Fixtures.of("small"), "nydus-zstd", RafsConverter.Options.DEFAULT);
    RafsConverter.Converted second =
        convert(Fixtures.of("small"), "nydus-zstd", RafsConverter.Options.DEFAULT);
    assertThat(second).isEqualTo(first);
  }

  @Test
  void convert_keepsEachChunkOnce() throws Exception {
    RafsConverter.Converted converted =
        convert(Fixtures.of("small"), "nydus-zstd", RafsConverter.Options.DEFAULT);
    index(converted);
    long placed = 0;
    List<Digest> digests = new ArrayList<>();
    for (var chunk : devices.indexes().getLast().chunks()) {
      placed += chunk.decodedLength();
      digests.add(chunk.placements().getFirst().digest());
    }
    long files =
        Fixtures.of("small").expected().entries().entrySet().stream()
            .filter(entry -> entry.getValue().same().equals(entry.getKey()))
            .mapToLong(entry -> entry.getValue().size())
            .sum();
    assertThat(digests).doesNotHaveDuplicates();
    assertThat(placed).isLessThan(files);
  }

  @Test
  void convert_ofAnImageWithoutContentHasNoBlob() throws Exception {
    RafsConverter.Converted converted =
        convert(Fixtures.of("empty"), "nydus-zstd", RafsConverter.Options.DEFAULT);
    assertThat(converted.blob()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 4095, 5000, 32 << 20})
  void options_refuseChunksThatRafsDoesNotHave(int chunkBytes) {
    assertThatThrownBy(() -> new RafsConverter.Options(Digest.Algorithm.SHA256, chunkBytes, 3))
        .isInstanceOf(IllegalArgumentException.class);
  }

  /** nydus-image unpacks no image with a block device or a fifo, as small has them: it panics. */
  @ParameterizedTest
  @CsvSource({
    "small, nydus-zstd",
    "reader, nydus-zstd",
    "deep, nydus-zstd",
    "rawnames, nydus-zstd",
    "one, nydus-zstd",
    "pause, nydus-zstd",
    "empty, nydus-zstd"
  })
  void convert_isAcceptedAndUnpackedByNydusImage(String image, String tag) throws Exception {
    assumeThat(nydusImage()).as("nydus-image on the PATH").isPresent();
    Fixtures fixtures = Fixtures.of(image);
    RafsConverter.Converted converted = convert(fixtures, tag, RafsConverter.Options.DEFAULT);
    Path bootstrap = unpackBootstrap(converted.bootstrap());
    Path blobs = directory.resolve("blobs/sha256");
    run("check", "--bootstrap", bootstrap.toString(), "--blob-dir", blobs.toString());
    if (converted.blob().isPresent() && !image.equals("small")) {
      Path tar = directory.resolve("unpacked.tar");
      run(
          "unpack",
          "--bootstrap",
          bootstrap.toString(),
          "--blob",
          blobs.resolve(converted.blob().get().digest().hex()).toString(),
          "--output",
          tar.toString());
      assertThatTree(TarTree.read(tar))
          .losing(Loss.NANOSECONDS, Loss.TIMES_BEFORE_1970, Loss.LINK_COUNTS)
          .isTree(withoutRoot(fixtures.expected()));
    }
  }

  /** nydus-image writes no entry for the root. */
  private static Tree withoutRoot(Tree tree) {
    SortedMap<Bytes, TreeEntry> entries = new TreeMap<>(tree.entries());
    entries.remove(Bytes.EMPTY);
    return () -> entries;
  }

  private RafsConverter.Converted convert(
      Fixtures fixtures, String tag, RafsConverter.Options options)
      throws IOException, InterruptedException {
    ImageDocument.Manifest manifest = fixtures.document(tag);
    LayerIndex index =
        index(
            new LayerFormat.Layer(
                manifest,
                manifest.layers().size() - 1,
                fixtures.diffIds(tag).getLast(),
                Set.of(fixtures.repository())),
            Files.createTempFile(directory, "tree", ".erofs"));
    Path blob = directory.resolve("blob");
    Path layer = directory.resolve("layer");
    try (MetadataImage tree = MetadataImage.open(index.metadataImage())) {
      RafsConverter.Converted converted =
          RafsConverter.convert(
              tree,
              tree.rootNid(),
              (device, offset, into) -> read(index, device, offset, into),
              blob,
              layer,
              options,
              done -> {});
      Path blobs = Files.createDirectories(directory.resolve("blobs/sha256"));
      if (converted.blob().isPresent()) {
        move(blob, blobs, converted.blob().get());
      }
      move(layer, blobs, converted.bootstrap());
      return converted;
    }
  }

  private void read(LayerIndex index, int device, long offset, ByteBuffer into)
      throws IOException, InterruptedException {
    into.put(devices.read(index.devices().get(device), offset, into.remaining()));
  }

  private static void move(Path file, Path blobs, Descriptor descriptor) throws IOException {
    assertThat(Files.size(file)).isEqualTo(descriptor.sizeBytes());
    assertThat(Digest.sha256(Files.readAllBytes(file))).isEqualTo(descriptor.digest());
    Files.move(file, blobs.resolve(descriptor.digest().hex()), StandardCopyOption.REPLACE_EXISTING);
  }

  private LayerIndex index(RafsConverter.Converted converted)
      throws IOException, InterruptedException {
    List<Descriptor> layers = new ArrayList<>();
    converted.blob().ifPresent(layers::add);
    layers.add(converted.bootstrap());
    ImageDocument.Manifest manifest =
        new ImageDocument.Manifest(converted.bootstrap(), layers, Map.of(), null, null);
    return index(
        new LayerFormat.Layer(
            manifest,
            layers.size() - 1,
            converted.bootstrapDiffId(),
            Set.of(new Repository.InLayout(directory))),
        directory.resolve("again.erofs"));
  }

  private LayerIndex index(LayerFormat.Layer layer, Path metadataImage)
      throws IOException, InterruptedException {
    Files.deleteIfExists(metadataImage);
    LayerFormat.Recognition recognition = new RafsFormat(source).recognise(layer);
    assertThat(recognition).isInstanceOf(LayerFormat.Recognition.ImageTree.class);
    return ((LayerFormat.Recognition.ImageTree) recognition)
        .indexer()
        .index(metadataImage, devices);
  }

  private Path unpackBootstrap(Descriptor layer) throws IOException {
    Path file = directory.resolve("blobs/sha256").resolve(layer.digest().hex());
    Path bootstrap = directory.resolve("image.boot");
    try (InputStream in = new GZIPInputStream(Files.newInputStream(file));
        TarArchiveInputStream tar = new TarArchiveInputStream(in)) {
      for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
        if (entry.getName().equals("image/image.boot")) {
          Files.copy(tar, bootstrap);
        }
      }
    }
    return bootstrap;
  }

  private static Optional<Path> nydusImage() {
    for (String each : System.getenv().getOrDefault("PATH", "").split(":", -1)) {
      Path file = Path.of(each, "nydus-image");
      if (Files.isExecutable(file)) {
        return Optional.of(file);
      }
    }
    return Optional.empty();
  }

  private void run(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(nydusImage().orElseThrow().toString()));
    command.addAll(List.of(arguments));
    Path log = directory.resolve("nydus-image.log");
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    try {
      assertThat(process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)).isTrue();
    } finally {
      process.destroyForcibly();
    }
    assertThat(process.exitValue())
        .as("%s: %s", command, Files.readString(log, StandardCharsets.UTF_8))
        .isZero();
  }
}

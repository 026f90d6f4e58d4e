package sluice.formats.rafs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;
import static sluice.testing.ListingAssert.assertThatTree;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import sluice.core.Bytes;
import sluice.core.Chunk;
import sluice.core.DeviceId;
import sluice.core.Digest;
import sluice.core.IndexTrust;
import sluice.core.LayerFormat;
import sluice.erofs.Attributes;
import sluice.erofs.FileType;
import sluice.erofs.LayerTree;
import sluice.erofs.MetadataImage;
import sluice.erofs.MetadataImageMerge;
import sluice.erofs.MetadataImageWriter;
import sluice.formats.tar.TarFormat;
import sluice.formats.testing.Images;
import sluice.formats.testing.PlainDevices;
import sluice.testing.Fixtures;
import sluice.testing.LayoutRangeSource;
import sluice.testing.ListingAssert.Loss;
import sluice.testing.Tree;

/** Ordinary images that we convert, read back by ourselves and by nydus-image. */
class RafsConverterTest {

  private final LayoutRangeSource source = new LayoutRangeSource();
  private final MemoryDevices devices = new MemoryDevices(source);

  @TempDir private Path directory;

  static List<String> images() {
    return Fixtures.IMAGES;
  }

  @ParameterizedTest
  @MethodSource("images")
  void convert_ofEverySourceIsReadBackWithTheSameTree(String image) throws Exception {
    Converted converted = convert(image, RafsConverter.Options.DEFAULT);
    assertThatTree(converted.readBack(devices))
        .losing(Loss.TIMES_BEFORE_1970)
        .isTree(Fixtures.of(image).expected());
  }

  @ParameterizedTest
  @MethodSource("images")
  void convert_ofEverySourceIsAcceptedAndUnpackedByNydusImage(String image) throws Exception {
    assumeThat(NydusImage.find()).as("nydus-image on the PATH").isPresent();
    Converted converted = convert(image, RafsConverter.Options.DEFAULT);
    converted.check();
    Tree expected = Fixtures.of(image).expected();
    if (converted.image().blob().isPresent() && Converted.unpackable(expected)) {
      assertThatTree(converted.unpack())
          .losing(Loss.NANOSECONDS, Loss.TIMES_BEFORE_1970, Loss.LINK_COUNTS)
          .isTree(Converted.asUnpacked(expected));
    }
  }

  @ParameterizedTest
  @CsvSource({"BLAKE3, 65536, 1", "SHA256, 4096, 3", "BLAKE3, 16777216, 19"})
  void convert_withOtherOptionsIsReadBackWithTheSameTree(
      Digest.Algorithm digester, int chunkBytes, int level) throws Exception {
    Converted converted = convert("reader", new RafsConverter.Options(digester, chunkBytes, level));
    assertThatTree(converted.readBack(devices)).isTree(Fixtures.of("reader").expected());
  }

  @Test
  void convert_givesTheSameBytesTwice() throws Exception {
    RafsConverter.Converted first = convert("small", RafsConverter.Options.DEFAULT).image();
    RafsConverter.Converted second = convert("small", RafsConverter.Options.DEFAULT).image();
    assertThat(second).isEqualTo(first);
  }

  @Test
  void convert_keepsEachChunkOnce() throws Exception {
    convert("small", RafsConverter.Options.DEFAULT).readBack(devices);
    long placed = 0;
    List<Digest> digests = new ArrayList<>();
    for (Chunk chunk : devices.indexes().getLast().chunks()) {
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
    assertThat(convert("empty", RafsConverter.Options.DEFAULT).image().blob()).isEmpty();
  }

  /** It is listed in parts. */
  @Test
  void convert_ofALargeDirectoryIsReadBackWhole() throws Exception {
    LayerTree layer = new LayerTree("layer");
    for (int i = 0; i < 3000; i++) {
      layer.special(
          Bytes.utf8("d/" + i), new Attributes(FileType.FIFO.modeBits() | 0600, 0, 0, 0, 0), 0);
    }
    Path image = directory.resolve("layer");
    MetadataImageWriter.write(layer, List.of(), image);
    Path merged = directory.resolve("merged");
    MetadataImageMerge.merge(List.of(image), merged);
    try (MetadataImage tree = MetadataImage.open(merged)) {
      Converted converted =
          Converted.convert(
              tree,
              tree.lookup(tree.rootNid(), Bytes.utf8("fs")),
              (device, offset, into) -> {
                throw new AssertionError("nothing has content");
              },
              RafsConverter.Options.DEFAULT,
              directory.resolve("converted"));
      assertThat(converted.readBack(devices).entries()).hasSize(3000 + 2);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 4095, 5000, 32 << 20})
  void options_refuseChunksThatRafsDoesNotHave(int chunkBytes) {
    assertThatThrownBy(() -> new RafsConverter.Options(Digest.Algorithm.SHA256, chunkBytes, 3))
        .isInstanceOf(IllegalArgumentException.class);
  }

  /** Streams the layers, merges them, and converts what comes out. */
  private Converted convert(String image, RafsConverter.Options options)
      throws IOException, InterruptedException {
    Path work = Files.createTempDirectory(directory, image);
    Fixtures fixtures = Fixtures.of(image);
    PlainDevices staged = new PlainDevices(work);
    List<Path> layers = new ArrayList<>();
    List<Digest> diffIds = fixtures.diffIds(Fixtures.SOURCE);
    for (int i = 0; i < diffIds.size(); i++) {
      LayerFormat.Layer layer =
          new LayerFormat.Layer(
              Images.of(fixtures, Fixtures.SOURCE),
              i,
              diffIds.get(i),
              Set.of(fixtures.repository()));
      if (new TarFormat(source).recognise(layer, IndexTrust.PINNED)
          instanceof LayerFormat.Recognition.Tree(LayerFormat.Indexer indexer, var _)) {
        layers.add(indexer.index(work.resolve("layer" + i), staged).metadataImage());
      }
    }
    assertThat(layers).hasSameSizeAs(diffIds);
    Path merged = work.resolve("merged");
    MetadataImageMerge.merge(layers, merged);
    try (MetadataImage tree = MetadataImage.open(merged)) {
      return Converted.convert(
          tree,
          tree.lookup(tree.rootNid(), Bytes.utf8("fs")),
          (device, offset, into) ->
              read(staged.open(new DeviceId(tree.devices().get(device).tag())), offset, into),
          options,
          work.resolve("converted"));
    }
  }

  private static void read(PlainDevices.Device device, long offset, ByteBuffer into)
      throws IOException {
    try (FileChannel file = FileChannel.open(device.file())) {
      long at = offset;
      while (into.hasRemaining()) {
        int count = file.read(into, at);
        assertThat(count).isPositive();
        at += count;
      }
    }
  }
}

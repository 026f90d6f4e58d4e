package sluice.formats.rafs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import sluice.core.ByteRange;
import sluice.core.Bytes;
import sluice.core.Chunk;
import sluice.core.DeviceIndex;
import sluice.core.LayerFormat;
import sluice.core.LayerIndex;
import sluice.core.LayerIndex.PrefetchHint;
import sluice.erofs.Mapping;
import sluice.erofs.MetadataImage;
import sluice.testing.Fixtures;
import sluice.testing.LayoutRangeSource;

/** Images that refer into ordinary gzip layers: what is fetched of them, and what is shown. */
class ZranImageTest {

  private final LayoutRangeSource source = new LayoutRangeSource();
  private final MemoryDevices devices = new MemoryDevices(source);

  @TempDir private Path directory;

  @ParameterizedTest
  @ValueSource(strings = {"small", "reader", "second", "deep", "one", "rawnames", "empty"})
  void index_asksForTheBootstrapAndAByteOfEachLayer(String image) throws Exception {
    Fixtures fixtures = Fixtures.of(image);
    LayerIndex index = index(ZranImage.unchanged(fixtures));
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
    LayerIndex index = index(ZranImage.of(image, directory).layer());
    assertThat(source.requests()).isEqualTo(1 + 2L * index.devices().size());
    ZranImage.assertShows(index, devices, fixtures);
    assertThat(devices.indexes())
        .extracting(DeviceIndex::blob)
        .isSubsetOf(ZranImage.layers(fixtures, Fixtures.SOURCE));
  }

  @Test
  void index_hasOneChunkForEachContext() throws Exception {
    index(ZranImage.unchanged(Fixtures.of("small")));
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
    LayerIndex index = index(ZranImage.unchanged(Fixtures.of("reader")));
    Mapping file = map(index, "data/noise0");
    long requests = source.requests();
    long bytes = source.bytes();
    devices.read(index.devices().get(file.device()), file.deviceOffset(), 4096);
    assertThat(source.requests()).isEqualTo(requests + 1);
    assertThat(source.bytes()).isEqualTo(bytes + 88960);
  }

  @Test
  void index_leavesNothingButTheImage() throws Exception {
    Path layout = directory.resolve("layout");
    LayerIndex index = index(ZranImage.of("small", layout).layer());
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
      LayerIndex index = index(image.layer());
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

  private LayerIndex index(LayerFormat.Layer layer) throws IOException, InterruptedException {
    return ZranImage.index(layer, source, devices, directory);
  }
}

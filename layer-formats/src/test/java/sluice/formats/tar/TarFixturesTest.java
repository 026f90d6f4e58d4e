package sluice.formats.tar;

import static org.assertj.core.api.Assertions.assertThat;
import static sluice.testing.ListingAssert.assertThatTree;

import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import sluice.core.Chunk;
import sluice.core.ChunkDecoder;
import sluice.core.ChunkEncoding;
import sluice.core.DeviceId;
import sluice.core.DeviceIndex;
import sluice.core.Placement;
import sluice.erofs.DeviceSlot;
import sluice.erofs.MetadataImage;
import sluice.formats.decode.EncodingDecoder;
import sluice.formats.testing.ImageTree;
import sluice.formats.testing.PlainDevices;
import sluice.testing.Fixtures;

/** Every ordinary image of the fixtures, all of it, against what other tools made of it. */
class TarFixturesTest {

  private static final ChunkDecoder DECODER = new EncodingDecoder();

  @TempDir Path directory;

  static List<String> images() {
    return Fixtures.IMAGES;
  }

  @ParameterizedTest
  @MethodSource("images")
  void index_everyImage_showsWhatIsExpected(String image) throws Exception {
    Fixtures fixture = Fixtures.of(image);
    Layers layers = new Layers(directory);
    Path merged = layers.merge(fixture);
    assertThatTree(ImageTree.of(merged, layers.devices())).isTree(fixture.expected());
  }

  @ParameterizedTest
  @MethodSource("images")
  void index_everyDevice_canBeStreamedAgainFromItsChunk(String image) throws Exception {
    Fixtures fixture = Fixtures.of(image);
    Layers layers = new Layers(directory);
    try (MetadataImage merged = MetadataImage.open(layers.merge(fixture))) {
      for (DeviceSlot slot : merged.devices()) {
        PlainDevices.Device device = layers.devices().open(new DeviceId(slot.tag()));
        Path again = directory.resolve("again");
        streamAgain(fixture, device.index(), again);
        assertThat(again).hasSameBinaryContentAs(device.file());
        Files.delete(again);
      }
    }
  }

  @Test
  void index_twice_givesTheSameBytes() throws Exception {
    Fixtures fixture = Fixtures.of("small");
    Path one = Files.createDirectory(directory.resolve("1"));
    Path other = Files.createDirectory(directory.resolve("2"));
    assertThat(new Layers(one).merge(fixture))
        .hasSameBinaryContentAs(new Layers(other).merge(fixture));
    assertThat(one.resolve("layer0")).hasSameBinaryContentAs(other.resolve("layer0"));
  }

  /** What the cache does when a device's file is lost. */
  private static void streamAgain(Fixtures fixture, DeviceIndex index, Path into)
      throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(into.toFile(), "rw")) {
      file.setLength(index.lengthBytes());
      for (Chunk chunk : index.chunks()) {
        assertThat(chunk.encodedDigest()).isEqualTo(index.blob());
        assertThat(chunk.encoded().length()).isEqualTo(Files.size(fixture.blob(index.blob())));
        byte[] decoded = decode(fixture.blob(index.blob()), chunk.encoding());
        assertThat(decoded).hasSize((int) chunk.decodedLength());
        for (Placement placement : chunk.placements()) {
          file.seek(placement.deviceOffset());
          file.write(decoded, (int) placement.decodedOffset(), (int) placement.lengthBytes());
        }
      }
    }
  }

  private static byte[] decode(Path blob, ChunkEncoding encoding) throws IOException {
    if (!(encoding instanceof ChunkEncoding.WholeStream whole)) {
      throw new AssertionError("encoded as " + encoding);
    }
    try (InputStream decoded = DECODER.decode(whole, Files.newInputStream(blob))) {
      return decoded.readAllBytes();
    }
  }
}

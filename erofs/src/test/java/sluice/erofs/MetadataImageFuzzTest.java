package sluice.erofs;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import sluice.core.Bytes;

/**
 * Whatever bytes an image has, it is read, merged, or refused; nothing else happens. The checksum
 * is mended, so that what lies behind it is reached.
 */
final class MetadataImageFuzzTest {

  @MethodSource("seeds")
  @FuzzTest(maxDuration = "10m")
  void read_anyBytes_isRefusedOrRead(byte[] bytes) throws IOException {
    onFile(bytes, DamagedImageTest::readWhole);
  }

  @MethodSource("seeds")
  @FuzzTest(maxDuration = "10m")
  void merge_anyBytes_isRefusedOrMerged(byte[] bytes) throws IOException {
    onFile(bytes, DamagedImageTest::merge);
  }

  /** Small images that hold every structure but blocks of directories. */
  static Stream<Arguments> seeds() throws IOException {
    LayerTree files = new LayerTree("seed");
    Attributes plain = new Attributes(0644, 70_000, 0, -5, 7);
    List<Extent> extents = List.of(new Extent(4096, 4096, 0, 0), new Extent(8192, 99, 1, 4096));
    files.file(Bytes.utf8("d/file"), plain, new FileContent(20_000, extents));
    files.symlink(Bytes.utf8("d/link"), plain, Bytes.utf8("file"));
    LayerTree marks = new LayerTree("seed");
    marks.hardLink(Bytes.utf8("d/hard"), Bytes.utf8("d/file"), plain);
    marks.opaque(Bytes.utf8("e"));
    marks.whiteout(Bytes.utf8("d/link"));
    return Stream.of(Arguments.of((Object) image(files)), Arguments.of((Object) image(marks)));
  }

  private static byte[] image(LayerTree tree) throws IOException {
    List<DeviceSlot> devices = List.of(new DeviceSlot("a", 8192), new DeviceSlot("b", 8192));
    Path directory = Files.createTempDirectory("seed");
    Path file = directory.resolve("image");
    try {
      MetadataImageWriter.write(tree, devices, file);
      return Files.readAllBytes(file);
    } finally {
      Files.deleteIfExists(file);
      Files.delete(directory);
    }
  }

  private interface Use {
    void of(Path image) throws IOException;
  }

  private static void onFile(byte[] bytes, Use use) throws IOException {
    Path file = Files.createTempFile("fuzz", ".erofs");
    try {
      Files.write(file, DamagedImageTest.rechecked(bytes.clone()));
      use.of(file);
    } finally {
      Files.delete(file);
    }
  }
}

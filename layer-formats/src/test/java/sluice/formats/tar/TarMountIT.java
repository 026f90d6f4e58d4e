package sluice.formats.tar;

import static sluice.testing.ListingAssert.assertThatTree;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import sluice.core.DeviceId;
import sluice.erofs.DeviceSlot;
import sluice.erofs.MetadataImage;
import sluice.testing.ErofsMount;
import sluice.testing.Fixtures;
import sluice.testing.TreeListing;

/** Every ordinary image of the fixtures as the kernel's EROFS shows it. */
class TarMountIT {

  @TempDir Path directory;

  static List<String> images() {
    return Fixtures.IMAGES;
  }

  @ParameterizedTest
  @MethodSource("images")
  void mount_everyImage_showsWhatIsExpected(String name) throws Exception {
    Fixtures fixture = Fixtures.of(name);
    Layers layers = new Layers(directory);
    Path merged = layers.merge(fixture);
    List<Path> files = new ArrayList<>();
    try (MetadataImage image = MetadataImage.open(merged)) {
      for (DeviceSlot slot : image.devices()) {
        files.add(layers.devices().open(new DeviceId(slot.tag())).file());
      }
    }
    Path target = Files.createDirectory(directory.resolve("m"));
    try (ErofsMount _ = ErofsMount.of(merged, files, target)) {
      assertThatTree(TreeListing.of(target.resolve("fs"))).isTree(fixture.expected());
    }
  }
}

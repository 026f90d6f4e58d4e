package sluice.snapshotter.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import sluice.core.Descriptor;
import sluice.core.DeviceId;

final class FakeTrees {
  private FakeTrees() {}

  static void write(Path image, Descriptor layer, DeviceId device) throws IOException {
    Files.writeString(image, layer.digest() + " " + device);
  }
}

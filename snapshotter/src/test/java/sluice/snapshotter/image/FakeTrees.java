package sluice.snapshotter.image;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import sluice.core.Bytes;
import sluice.core.Descriptor;
import sluice.core.DeviceId;
import sluice.erofs.Attributes;
import sluice.erofs.DeviceSlot;
import sluice.erofs.Extent;
import sluice.erofs.FileContent;
import sluice.erofs.LayerTree;
import sluice.erofs.MetadataImage;
import sluice.erofs.MetadataImageWriter;

/** Real metadata images of one file each, named by its layer. */
final class FakeTrees {

  private FakeTrees() {}

  /** The file that a layer's tree holds. */
  static Bytes file(Descriptor layer) {
    return Bytes.utf8(layer.digest().hex());
  }

  static void write(Path image, Descriptor layer, DeviceId device) throws IOException {
    LayerTree tree = new LayerTree("layer " + layer.digest());
    Attributes attributes = new Attributes(0644, 0, 0, 1, 0);
    tree.file(file(layer), attributes, new FileContent(5, List.of(new Extent(0, 5, 0, 0))));
    MetadataImageWriter.write(tree, List.of(new DeviceSlot(device.hex(), 4096)), image);
  }

  /** Whether a merged image shows the file of that layer. */
  static boolean shows(Path merged, Descriptor layer) throws IOException {
    try (MetadataImage image = MetadataImage.open(merged)) {
      long root = image.lookup(image.rootNid(), Bytes.utf8("fs"));
      return image.lookup(root, file(layer)) != MetadataImage.NO_ENTRY;
    }
  }
}

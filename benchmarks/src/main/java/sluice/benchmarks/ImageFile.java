package sluice.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import sluice.core.Bytes;
import sluice.core.LazyDevice;
import sluice.erofs.Attributes;
import sluice.erofs.DeviceSlot;
import sluice.erofs.FileContent;
import sluice.erofs.LayerTree;
import sluice.erofs.MetadataImageMerge;
import sluice.erofs.MetadataImageWriter;

/** Writes metadata images of one layer with one device. */
final class ImageFile {

  /** The device of all files. */
  private static final int SLOT = 0;

  private static final Attributes FILE = new Attributes(0100644, 0, 0, 1_700_000_000, 0);

  private ImageFile() {}

  /** Adds a file that lies in the device from {@code deviceOffset} on. */
  static void add(LayerTree tree, String path, long sizeBytes, long deviceOffset)
      throws IOException {
    tree.file(Bytes.utf8(path), FILE, FileContent.contiguous(sizeBytes, SLOT, deviceOffset));
  }

  /** Writes the merged image, which can be mounted, to a new file. */
  static void write(LayerTree tree, LazyDevice device, Path image) throws IOException {
    Path layer = Files.createTempFile(image.toAbsolutePath().getParent(), "layer", ".erofs");
    Files.delete(layer);
    try {
      DeviceSlot slot = new DeviceSlot(device.id().hex(), device.lengthBytes());
      MetadataImageWriter.write(tree, List.of(slot), layer);
      MetadataImageMerge.merge(List.of(layer), image);
    } finally {
      Files.deleteIfExists(layer);
    }
  }
}

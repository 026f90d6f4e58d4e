package sluice.erofs;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Writes the metadata image of one layer: blocks of 4096 bytes, chunk-based files, a checksum, no
 * features that Linux 5.16 lacks. The same tree and devices give the same bytes.
 *
 * <p>The image keeps what only merging can resolve as private marks: {@code trusted.sluice.implied}
 * on directories without an entry, {@code trusted.sluice.link} on hard links to layers below,
 * character devices 0:0 for whiteouts, {@code trusted.overlay.opaque} on opaque directories. So it
 * is not to be mounted before {@link MetadataImageMerge} has seen it.
 */
public final class MetadataImageWriter {

  private MetadataImageWriter() {}

  /**
   * Writes a tree to a file that does not exist yet, and to disk. If it fails, no file is left.
   *
   * @param devices slot {@code i} is device {@code i} of the tree's extents; at most {@link
   *     DeviceSlot#MAX_DEVICES}
   * @throws sluice.core.CorruptException if the tree holds what EROFS cannot hold
   * @throws IOException if the file cannot be written
   * @throws IllegalArgumentException if devices cannot be written: too many, without a tag, of a
   *     length that is no multiple of 4096 or over 2<sup>32</sup> - 1 blocks
   */
  public static void write(LayerTree tree, List<DeviceSlot> devices, Path image)
      throws IOException {
    // What writing takes was asked for as the tree grew.
    write(LayerTreeSource.of(tree), devices, bytes -> {}, image);
  }

  /**
   * @param growth is asked for what is kept of xattrs
   */
  static void write(
      TreeSource source, List<DeviceSlot> devices, LayerTree.Growth growth, Path image)
      throws IOException {
    requireWritable(devices);
    ImageEmitter.write(ImagePlan.of(source, List.copyOf(devices), growth), image);
  }

  private static void requireWritable(List<DeviceSlot> devices) {
    if (devices.size() > DeviceSlot.MAX_DEVICES) {
      throw new IllegalArgumentException(
          "image: %d devices, the limit is %d".formatted(devices.size(), DeviceSlot.MAX_DEVICES));
    }
    for (DeviceSlot device : devices) {
      long blocks = device.lengthBytes() >> ImagePlan.BLOCK_BITS;
      if (device.tag().isEmpty()
          || device.lengthBytes() % DeviceSlot.BLOCK_BYTES != 0
          || blocks > 0xffff_ffffL) {
        throw new IllegalArgumentException("image: " + device + " cannot be written");
      }
    }
  }
}

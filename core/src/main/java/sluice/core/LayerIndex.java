package sluice.core;

import java.nio.file.Path;
import java.util.List;

/**
 * What one layer, or one whole image, became: a metadata image and the devices that its files'
 * chunk maps point into.
 *
 * @param metadataImage the EROFS image; slot {@code i} of its device table is {@code devices[i]}
 * @param devices the devices, added to the store
 * @param hints parts of the devices that a container is likely to read first, in that order
 */
public record LayerIndex(Path metadataImage, List<DeviceId> devices, List<PrefetchHint> hints) {

  /** A part of a device that a format's prefetch list or landmark names. */
  public record PrefetchHint(DeviceId device, ByteRange range) {}

  public LayerIndex {
    devices = List.copyOf(devices);
    hints = List.copyOf(hints);
  }
}

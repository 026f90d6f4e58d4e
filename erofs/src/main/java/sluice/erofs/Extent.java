package sluice.erofs;

/**
 * A run of a file's bytes in a device.
 *
 * @param fileOffset first byte within the file, a multiple of 4096
 * @param lengthBytes 1 or more; a multiple of 4096 in all but the last extent of a file. Where a
 *     file goes on after an odd length, the rest of that block is read from the device, too, and
 *     must be zeros there
 * @param device index of the device slot
 * @param deviceOffset first byte within the device, a multiple of 4096
 */
public record Extent(long fileOffset, long lengthBytes, int device, long deviceOffset) {

  public Extent {
    if (fileOffset < 0
        || lengthBytes <= 0
        || device < 0
        || deviceOffset < 0
        || fileOffset % DeviceSlot.BLOCK_BYTES != 0
        || deviceOffset % DeviceSlot.BLOCK_BYTES != 0
        || fileOffset + lengthBytes < 0
        || deviceOffset + lengthBytes < 0) {
      throw new IllegalArgumentException(
          "extent: file offset %d, length %d, device %d, device offset %d"
              .formatted(fileOffset, lengthBytes, device, deviceOffset));
    }
  }

  /** The first byte of the file after this extent. */
  public long fileEnd() {
    return fileOffset + lengthBytes;
  }
}

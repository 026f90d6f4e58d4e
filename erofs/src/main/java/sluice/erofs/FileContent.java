package sluice.erofs;

import java.util.List;

/**
 * What a regular file holds. What no extent covers is zeros.
 *
 * @param sizeBytes {@code st_size}
 * @param extents by rising file offset, not overlapping, all within the size
 */
public record FileContent(long sizeBytes, List<Extent> extents) {

  public FileContent {
    extents = List.copyOf(extents);
    if (sizeBytes < 0) {
      throw new IllegalArgumentException("file: size " + sizeBytes);
    }
    long end = 0;
    for (int i = 0; i < extents.size(); i++) {
      Extent extent = extents.get(i);
      boolean odd = extent.lengthBytes() % DeviceSlot.BLOCK_BYTES != 0;
      if (extent.fileOffset() < end
          || extent.fileEnd() > sizeBytes
          || (odd && i + 1 < extents.size())) {
        throw new IllegalArgumentException(
            "file of %d bytes: extent %d is %s, the one before ends at %d"
                .formatted(sizeBytes, i, extent, end));
      }
      end = extent.fileEnd();
    }
  }

  /** An empty file. */
  public static FileContent empty() {
    return new FileContent(0, List.of());
  }

  /** A file that lies in one piece in a device. */
  public static FileContent contiguous(long sizeBytes, int device, long deviceOffset) {
    return sizeBytes == 0
        ? empty()
        : new FileContent(sizeBytes, List.of(new Extent(0, sizeBytes, device, deviceOffset)));
  }
}

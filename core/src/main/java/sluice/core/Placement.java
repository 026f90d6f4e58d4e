package sluice.core;

import org.jspecify.annotations.Nullable;

/**
 * Where some of a chunk's decoded bytes lie in the device.
 *
 * @param decodedOffset first byte within the decoded chunk
 * @param lengthBytes number of bytes, 1 or more
 * @param deviceOffset first byte within the device
 * @param digest digest of exactly these bytes; null only where the chunk's encoded digest covers
 *     them
 */
public record Placement(
    long decodedOffset, long lengthBytes, long deviceOffset, @Nullable Digest digest) {

  public Placement {
    if (decodedOffset < 0
        || lengthBytes <= 0
        || deviceOffset < 0
        || decodedOffset + lengthBytes < 0
        || deviceOffset + lengthBytes < 0) {
      throw new IllegalArgumentException(
          "placement: decoded offset %d, length %d, device offset %d"
              .formatted(decodedOffset, lengthBytes, deviceOffset));
    }
  }

  /** The bytes of the device that it fills. */
  public ByteRange deviceRange() {
    return new ByteRange(deviceOffset, lengthBytes);
  }
}

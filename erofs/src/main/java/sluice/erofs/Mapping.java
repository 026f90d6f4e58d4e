package sluice.erofs;

/**
 * Where a run of a file's bytes lies.
 *
 * @param device index of the device slot, {@link #ZEROS} or {@link #IMAGE}
 * @param deviceOffset first byte in that device, or in the image file; 0 for zeros
 * @param lengthBytes 1 or more
 */
public record Mapping(int device, long deviceOffset, long lengthBytes) {

  /** The bytes are zeros and lie nowhere. */
  public static final int ZEROS = -1;

  /** The bytes lie in the image file itself, as in images by mkfs.erofs; never in our own. */
  public static final int IMAGE = -2;
}

package sluice.erofs;

import java.nio.charset.StandardCharsets;

/**
 * One slot of an image's device table ({@code struct erofs_deviceslot}).
 *
 * @param tag names the device, 1 to 64 ASCII characters; in our own images the device id
 * @param lengthBytes length of the device, a multiple of the block size; 0 where a foreign image
 *     does not say it
 */
public record DeviceSlot(String tag, long lengthBytes) {

  /** Block size of the images that we write, the unit of devices and extents. */
  public static final int BLOCK_BYTES = 4096;

  /** Most devices of one image: {@code extra_devices} has 16 bits. */
  public static final int MAX_DEVICES = 65_535;

  static final int TAG_BYTES = 64;

  /** The field {@code blocks} has 32 bits; images may have blocks of up to 64 KiB. */
  private static final long MAX_LENGTH_BYTES = 0xffff_ffffL << 16;

  public DeviceSlot {
    boolean ascii = StandardCharsets.US_ASCII.newEncoder().canEncode(tag);
    if (!ascii || tag.length() > TAG_BYTES || tag.indexOf('\0') >= 0) {
      throw new IllegalArgumentException("device slot: tag \"" + tag + "\"");
    }
    if (lengthBytes < 0 || lengthBytes > MAX_LENGTH_BYTES) {
      throw new IllegalArgumentException("device slot " + tag + ": length " + lengthBytes);
    }
  }
}

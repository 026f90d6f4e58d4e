package sluice.erofs;

/**
 * The number of a device node.
 *
 * @param major 12 bits
 * @param minor 20 bits
 */
public record DeviceNumber(int major, int minor) {

  private static final int MAX_MAJOR = 0xfff;
  private static final int MAX_MINOR = 0xf_ffff;

  public DeviceNumber {
    if (major < 0 || major > MAX_MAJOR || minor < 0 || minor > MAX_MINOR) {
      throw new IllegalArgumentException(
          "device number: %d:%d, at most %d:%d".formatted(major, minor, MAX_MAJOR, MAX_MINOR));
    }
  }

  /** Reads an encoded number: the kernel's {@code new_decode_dev}. */
  public static DeviceNumber decode(long rdev) {
    int bits = (int) rdev;
    return new DeviceNumber((bits >>> 8) & MAX_MAJOR, (bits & 0xff) | ((bits >>> 12) & 0xf_ff00));
  }

  /**
   * The encoded number, unsigned 32 bits: the kernel's {@code new_encode_dev}, for these widths the
   * same as {@code st_rdev}.
   */
  public long encoded() {
    return ((minor & 0xff) | ((long) major << 8) | ((minor & 0xf_ff00L) << 12)) & 0xffff_ffffL;
  }
}

package sluice.core;

import java.util.regex.Pattern;

/**
 * Names a device: 64 lower-case hexadecimal digits, the SHA-256 over its chunk table, which holds
 * the digest of its blob. So two indexes share a device only where they say the same of it, and no
 * index can change what another one reads. Fits the tag of an EROFS device slot.
 */
public record DeviceId(String hex) {
  private static final Pattern HEX = Pattern.compile("[0-9a-f]{64}");

  public DeviceId {
    if (!HEX.matcher(hex).matches()) {
      throw new IllegalArgumentException("device: 64 hexadecimal digits expected, found " + hex);
    }
  }

  @Override
  public String toString() {
    return hex;
  }
}

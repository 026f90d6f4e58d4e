package sluice.cache;

import java.util.List;
import sluice.core.DeviceId;

/**
 * What a check of a device found.
 *
 * @param sound chunks that are what their digests say
 * @param unverifiable present chunks under a digest of their encoded bytes, which are not kept
 * @param bad what was wrong, one message a chunk; these are no longer present
 */
public record CheckReport(DeviceId id, int sound, int unverifiable, List<String> bad) {

  public CheckReport {
    bad = List.copyOf(bad);
  }
}

package sluice.cache;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import sluice.core.Lane;

/**
 * How a cache works.
 *
 * @param bootId the boot of this host; presence that was not synced counts only in the same one
 * @param syncEvery how long written data waits for its sync
 * @param syncAfterBytes how much written data of a device does not wait that long
 * @param openFiles how many devices' files are kept open while nobody writes to them
 * @param lanes what may be in flight, per registry and lane
 */
public record CacheSettings(
    UUID bootId,
    Duration syncEvery,
    long syncAfterBytes,
    int openFiles,
    Map<Lane, LaneLimits> lanes) {

  /**
   * What one lane may have in flight at one registry, so that one that hangs takes neither all
   * memory nor another's requests.
   *
   * @param requests most requests at a time
   * @param bytes most bytes at a time, encoded and decoded; a single larger request goes alone
   */
  public record LaneLimits(int requests, long bytes) {}

  private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");

  public CacheSettings {
    lanes = Map.copyOf(lanes);
    if (!lanes.keySet().containsAll(Set.of(Lane.values()))) {
      throw new IllegalArgumentException("cache settings: limits for each lane needed: " + lanes);
    }
  }

  /** What suits a node with one or two registries. */
  public static CacheSettings defaults() throws IOException {
    return new CacheSettings(
        UUID.fromString(Files.readString(BOOT_ID).strip()),
        Duration.ofSeconds(1),
        64L << 20,
        256,
        Map.of(
            Lane.DEMAND, new LaneLimits(16, 64L << 20),
            Lane.STARTUP, new LaneLimits(8, 48L << 20),
            Lane.FILL, new LaneLimits(4, 48L << 20)));
  }
}

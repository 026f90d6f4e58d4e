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
 * @param copyBytes most bytes that copies of equal chunks hold in memory at a time
 * @param lanes what may be in flight
 */
public record CacheSettings(
    UUID bootId,
    Duration syncEvery,
    long syncAfterBytes,
    int openFiles,
    long copyBytes,
    Map<Lane, LaneLimits> lanes) {

  /**
   * What one lane may have in flight, so that a registry that hangs takes neither all memory nor
   * another's requests. Bytes count encoded and decoded, until they are written; a single chunk
   * that is larger goes alone.
   *
   * @param requests most requests at a time at one registry
   * @param registryBytes most bytes at a time of one registry
   * @param nodeBytes most bytes at a time of all registries
   */
  public record LaneLimits(int requests, long registryBytes, long nodeBytes) {}

  private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");

  public CacheSettings {
    lanes = Map.copyOf(lanes);
    if (!lanes.keySet().containsAll(Set.of(Lane.values()))) {
      throw new IllegalArgumentException("cache settings: limits for each lane needed: " + lanes);
    }
  }

  /**
   * What suits a node with a few registries: no more than five eighths of the heap are held in all,
   * and no more than half of a lane's for one registry.
   */
  public static CacheSettings defaults() throws IOException {
    long heap = Runtime.getRuntime().maxMemory();
    return new CacheSettings(
        UUID.fromString(Files.readString(BOOT_ID).strip()),
        Duration.ofSeconds(1),
        64L << 20,
        256,
        heap / 8,
        Map.of(
            Lane.DEMAND, limits(16, 64L << 20, heap / 4),
            Lane.STARTUP, limits(8, 48L << 20, heap / 8),
            Lane.FILL, limits(4, 48L << 20, heap / 8)));
  }

  private static LaneLimits limits(int requests, long registryBytes, long nodeBytes) {
    return new LaneLimits(requests, Math.min(registryBytes, nodeBytes / 2), nodeBytes);
  }
}

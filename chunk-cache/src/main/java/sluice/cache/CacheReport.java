package sluice.cache;

import java.util.List;
import java.util.Set;
import sluice.core.DeviceId;
import sluice.core.Digest;
import sluice.core.Repository;

/**
 * What is in a cache.
 *
 * @param devices by id
 * @param unreadable devices that cannot be opened, with the reason
 */
public record CacheReport(List<Entry> devices, List<Unreadable> unreadable) {

  public CacheReport {
    devices = List.copyOf(devices);
    unreadable = List.copyOf(unreadable);
  }

  /**
   * One device.
   *
   * @param lengthBytes length of its address space
   * @param occupiedBytes what it takes on disk
   * @param chunks how many chunks it has
   * @param presentChunks how many of them are there
   */
  public record Entry(
      DeviceId id,
      Digest blob,
      long lengthBytes,
      long occupiedBytes,
      int chunks,
      int presentChunks,
      Set<Repository> holders) {
    public Entry {
      holders = Set.copyOf(holders);
    }
  }

  /** A device that cannot be opened. */
  public record Unreadable(DeviceId id, String reason) {}

  /** What all devices take on disk, in bytes. */
  public long occupiedBytes() {
    return devices.stream().mapToLong(Entry::occupiedBytes).sum();
  }
}

package sluice.cache;

import java.time.Instant;
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
   * @param dataBytes what it holds when everything is there
   * @param presentBytes how many of these bytes are there
   * @param occupiedBytes what it takes on disk
   * @param chunks how many chunks it has
   * @param presentChunks how many of them are there
   * @param lastUsed when its data was last written, or read from disk; as exact as the access times
   *     of its file system, which are a day old at most by default
   */
  public record Entry(
      DeviceId id,
      Digest blob,
      long dataBytes,
      long presentBytes,
      long occupiedBytes,
      int chunks,
      int presentChunks,
      Instant lastUsed,
      Set<Repository> holders) {
    public Entry {
      holders = Set.copyOf(holders);
    }
  }

  /** A device that cannot be opened. */
  public record Unreadable(DeviceId id, String reason) {}
}

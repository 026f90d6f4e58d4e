package sluice.cache;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.core.CorruptException;
import sluice.core.DeviceId;
import sluice.core.Repository;

/**
 * The devices that are open, and how they come and go. Safe for use by many threads: what is done
 * to the directory of a device is done under a lock for its id.
 */
final class Devices {
  private static final Logger log = LoggerFactory.getLogger(Devices.class);

  /** Locks of devices; more than there are processors, so that they rarely meet. */
  private static final int LOCKS = 64;

  private final Shelf shelf;
  private final UUID boot;
  private final OpenFiles files;
  private final Durability durability;
  private final ChunkStore store;
  private final Flights flights;
  private final Failpoints failpoints;
  private final ConcurrentHashMap<DeviceId, CacheDevice> open = new ConcurrentHashMap<>();
  private final SharedDigests shared = new SharedDigests(this::digests);

  /** Each guards the directories of the devices whose ids it is for; held across local I/O. */
  private final List<ReentrantLock> locks =
      Stream.generate(ReentrantLock::new).limit(LOCKS).toList();

  /** Counts calls of {@link #retain}, to tell what was added before one began. */
  private final AtomicLong moment = new AtomicLong();

  Devices(
      Shelf shelf,
      UUID boot,
      OpenFiles files,
      Durability durability,
      ChunkStore store,
      Flights flights,
      Failpoints failpoints) {
    this.shelf = shelf;
    this.boot = boot;
    this.files = files;
    this.durability = durability;
    this.store = store;
    this.flights = flights;
    this.failpoints = failpoints;
  }

  /** A live view of the devices that are open. */
  Collection<CacheDevice> open() {
    return open.values();
  }

  private List<DigestIndex> digests() {
    return open.values().stream().map(CacheDevice::digests).toList();
  }

  SharedDigests shared() {
    return shared;
  }

  /** Opens all devices, so that each can give equal chunks to others, until the cache closes. */
  void openAll(Fetcher fetcher, BooleanSupplier closing) {
    try {
      for (DeviceId id : shelf.ids()) {
        if (closing.getAsBoolean()) {
          return;
        }
        try {
          open(id, fetcher);
        } catch (NoSuchFileException e) {
          log.debug("cache: device {} was deleted meanwhile", id);
        } catch (IOException e) {
          log.warn("cache: device {} cannot be opened: {}", id, e.getMessage());
        }
      }
    } catch (IOException e) {
      log.warn("cache: cannot list {}: {}", shelf, e.getMessage());
    }
  }

  /**
   * Makes a device of what lies in {@code made}, or fills the equal one that is there.
   *
   * @param made the directory, which the caller deletes if it is still there afterwards
   * @param present whether it holds all data
   */
  CacheDevice publish(
      Path made, DeviceId id, Set<Repository> holders, boolean present, Fetcher fetcher)
      throws IOException {
    CacheDevice known;
    ReentrantLock guard = lockOf(id);
    guard.lock();
    try {
      known = findSound(id, fetcher);
      if (known == null) {
        shelf.publish(made, id);
        return load(id, fetcher);
      }
      known.touch(moment.get());
      addHolders(known, holders);
      flights.enter(known);
    } finally {
      guard.unlock();
    }
    try {
      if (present) {
        new StagedCopy(known, store).copyFrom(made.resolve(DeviceFiles.DATA));
      }
      return known;
    } finally {
      flights.exit(known);
    }
  }

  /** The device, if there is one; one that cannot be read makes way for a new one. */
  private @Nullable CacheDevice findSound(DeviceId id, Fetcher fetcher) throws IOException {
    try {
      return find(id, fetcher);
    } catch (NoSuchFileException e) {
      if (!Files.exists(shelf.directoryOf(id))) {
        return null;
      }
      log.warn("cache: device {} is made anew: {} is missing", id, e.getMessage());
    } catch (CorruptException e) {
      log.warn("cache: device {} is made anew: {}", id, e.getMessage());
    }
    Disk.deleteTree(shelf.remove(id));
    return null;
  }

  /** Opens a device; the same object as long as it is in the cache. */
  CacheDevice open(DeviceId id, Fetcher fetcher) throws IOException {
    ReentrantLock guard = lockOf(id);
    guard.lock();
    try {
      return find(id, fetcher);
    } finally {
      guard.unlock();
    }
  }

  private CacheDevice find(DeviceId id, Fetcher fetcher) throws IOException {
    CacheDevice device = open.get(id);
    if (device == null) {
      return load(id, fetcher);
    }
    device.touch(moment.get());
    return device;
  }

  private CacheDevice load(DeviceId id, Fetcher fetcher) throws IOException {
    CacheDevice device = CacheDevice.open(shelf.directoryOf(id), id, boot, fetcher);
    device.touch(moment.get());
    if (!device.presence().synced()) {
      durability.written(device, 0);
    }
    shared.add(device.digests());
    open.put(id, device);
    return device;
  }

  void addHolders(DeviceId id, Set<Repository> holders, Fetcher fetcher) throws IOException {
    ReentrantLock guard = lockOf(id);
    guard.lock();
    try {
      addHolders(find(id, fetcher), holders);
    } finally {
      guard.unlock();
    }
  }

  private void addHolders(CacheDevice device, Set<Repository> holders) throws IOException {
    Set<Repository> all = new HashSet<>(device.holders());
    if (all.addAll(holders)) {
      DeviceFiles.writeHolders(device.directory(), all);
      device.holders(all);
    }
  }

  /** See {@link sluice.core.DeviceStore#retain}. */
  void retain(Collection<DeviceId> live) throws IOException {
    long began = moment.getAndIncrement();
    Set<DeviceId> kept = new HashSet<>(live);
    for (DeviceId id : shelf.ids()) {
      if (!kept.contains(id)) {
        delete(id, began);
      }
    }
  }

  private void delete(DeviceId id, long began) throws IOException {
    Path removed;
    ReentrantLock guard = lockOf(id);
    guard.lock();
    try {
      CacheDevice device = open.get(id);
      if (device != null && (device.touched() > began || !flights.retire(device))) {
        return;
      }
      // The name first: whoever opens the files by it, once they are dropped, finds none. A handle
      // to deleted files must not be there when a device of the same id comes.
      removed = shelf.remove(id);
      failpoints.reached(Failpoints.Point.DEVICE_UNNAMED);
      open.remove(id);
      files.drop(shelf.directoryOf(id));
    } finally {
      guard.unlock();
    }
    log.info("cache: deleting device {}", id);
    Disk.deleteTree(removed);
  }

  private ReentrantLock lockOf(DeviceId id) {
    return locks.get(Math.floorMod(id.hashCode(), LOCKS));
  }
}

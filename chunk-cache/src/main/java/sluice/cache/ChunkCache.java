package sluice.cache;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.core.ChunkDecoder;
import sluice.core.CorruptException;
import sluice.core.DeviceId;
import sluice.core.DeviceIndex;
import sluice.core.DeviceStore;
import sluice.core.LazyDevice;
import sluice.core.RangeSource;
import sluice.core.Repository;

/**
 * The devices below one directory, each a sparse file that fills as it is read.
 *
 * <pre>
 * lock         held by the process that has the cache open
 * ID/chunks    where each piece comes from
 * ID/digests   finds pieces by their digest
 * ID/data      the sparse file
 * ID/presence  which chunks are in it
 * ID/holders   who has the blob
 * .new-N       a device that is being made
 * .old-N       a device that is being deleted
 * </pre>
 *
 * <p>The process may die at any moment: the next one serves what was written and marked, and
 * fetches the rest again. See {@link Presence} for the order that this rests on.
 *
 * <p>Reads that are refused, and why: a {@link sluice.core.FetchException} when no registry gives
 * the bytes, a {@link CorruptException} when they are wrong, a {@link DiskException} when they
 * cannot be written.
 */
public final class ChunkCache implements DeviceStore, Closeable {
  private static final Logger log = LoggerFactory.getLogger(ChunkCache.class);

  /** Locks of devices; more than there are processors, so that they rarely meet. */
  private static final int LOCKS = 64;

  private final CacheSettings settings;
  private final Failpoints failpoints;
  private final Shelf shelf;
  private final DirectoryLock lock;
  private final OpenFiles files;
  private final CacheThreads threads;
  private final Durability durability;
  private final ChunkStore store;
  private final Flights flights = new Flights();
  private final Fetcher fetcher;
  private final ConcurrentHashMap<DeviceId, CacheDevice> devices = new ConcurrentHashMap<>();

  /** Each guards the directories of the devices whose ids it is for; held across local I/O. */
  private final List<ReentrantLock> locks =
      Stream.generate(ReentrantLock::new).limit(LOCKS).toList();

  /** Counts calls of {@link #retain}, to tell what was added before one began. */
  private final AtomicLong moment = new AtomicLong();

  private ChunkCache(
      Path directory,
      DirectoryLock lock,
      RangeSource source,
      ChunkDecoder decoder,
      CacheSettings settings,
      CacheListener listener,
      Failpoints failpoints) {
    this.settings = settings;
    this.failpoints = failpoints;
    this.lock = lock;
    this.shelf = new Shelf(directory);
    this.files = new OpenFiles(settings.openFiles());
    this.threads = CacheThreads.start();
    this.durability = new Durability(files, threads, settings, listener, failpoints);
    this.store = new ChunkStore(files, durability, failpoints);
    FetchContext context =
        new FetchContext(
            source,
            new ChunkVerifier(decoder),
            store,
            flights,
            new FetchScheduler(settings.lanes()),
            threads,
            listener);
    this.fetcher = new Fetcher(context, new EqualChunks(devices.values(), files, threads), decoder);
  }

  /**
   * Opens the cache in {@code directory}, which is made if there is none. Devices are read behind
   * it.
   *
   * @throws IOException if another process has it open
   */
  public static ChunkCache open(
      Path directory,
      RangeSource source,
      ChunkDecoder decoder,
      CacheSettings settings,
      CacheListener listener,
      Failpoints failpoints)
      throws IOException {
    Path absolute = directory.toAbsolutePath();
    Files.createDirectories(absolute);
    DirectoryLock lock = DirectoryLock.acquire(absolute);
    try {
      ChunkCache cache =
          new ChunkCache(absolute, lock, source, decoder, settings, listener, failpoints);
      cache.shelf.clean();
      cache.threads.disk().execute(cache::openAll);
      return cache;
    } catch (IOException | RuntimeException e) {
      lock.close();
      throw e;
    }
  }

  /** Reads all devices, so that each can give equal chunks to others. */
  private void openAll() {
    try {
      for (DeviceId id : shelf.ids()) {
        try {
          open(id);
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

  @Override
  public LazyDevice add(DeviceIndex index, Set<Repository> holders) throws IOException {
    Path made = shelf.begin();
    try {
      return publish(made, index, holders, false);
    } finally {
      Disk.deleteTree(made);
    }
  }

  @Override
  public Staged stage() throws IOException {
    return StagedDevice.begin(this, shelf.begin());
  }

  /**
   * Makes a device of what lies in {@code made}, or fills the equal one that is there.
   *
   * @param made the directory, which the caller deletes if it is still there afterwards
   * @param present whether it holds all data
   */
  LazyDevice publish(Path made, DeviceIndex index, Set<Repository> holders, boolean present)
      throws IOException {
    DeviceId id = DeviceFiles.write(made, index, holders, present, settings.bootId());
    failpoints.reached(Failpoints.Point.DEVICE_WRITTEN);
    CacheDevice known;
    ReentrantLock guard = lockOf(id);
    guard.lock();
    try {
      known = findSound(id);
      if (known == null) {
        shelf.publish(made, id);
        return load(id);
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
  private @Nullable CacheDevice findSound(DeviceId id) throws IOException {
    try {
      return find(id);
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

  @Override
  public LazyDevice open(DeviceId id) throws IOException {
    ReentrantLock guard = lockOf(id);
    guard.lock();
    try {
      return find(id);
    } finally {
      guard.unlock();
    }
  }

  private CacheDevice find(DeviceId id) throws IOException {
    CacheDevice device = devices.get(id);
    if (device == null) {
      return load(id);
    }
    device.touch(moment.get());
    return device;
  }

  private CacheDevice load(DeviceId id) throws IOException {
    CacheDevice device = CacheDevice.open(shelf.directoryOf(id), id, settings.bootId(), fetcher);
    device.touch(moment.get());
    if (!device.presence().synced()) {
      durability.written(device, 0);
    }
    devices.put(id, device);
    return device;
  }

  @Override
  public void addHolders(DeviceId id, Set<Repository> holders) throws IOException {
    ReentrantLock guard = lockOf(id);
    guard.lock();
    try {
      addHolders(find(id), holders);
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

  @Override
  public long occupiedBytes(DeviceId id) throws IOException {
    long bytes = 0;
    try (Stream<Path> paths = Files.list(shelf.directoryOf(id))) {
      for (Path path : paths.toList()) {
        bytes += BlocksOnDisk.of(path);
      }
    }
    return bytes;
  }

  @Override
  public void retain(Collection<DeviceId> live) throws IOException {
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
      CacheDevice device = devices.get(id);
      if (device != null && (device.touched() > began || !flights.retire(device))) {
        return;
      }
      devices.remove(id);
      files.drop(shelf.directoryOf(id));
      removed = shelf.remove(id);
    } finally {
      guard.unlock();
    }
    log.info("cache: deleting device {}", id);
    Disk.deleteTree(removed);
  }

  /** What is in the cache now. */
  public CacheReport report() throws IOException {
    List<CacheReport.Entry> entries = new ArrayList<>();
    List<CacheReport.Unreadable> unreadable = new ArrayList<>();
    for (DeviceId id : shelf.ids()) {
      try {
        if (open(id) instanceof CacheDevice device) {
          entries.add(entry(device));
        }
      } catch (NoSuchFileException e) {
        log.debug("cache: device {} was deleted meanwhile", id);
      } catch (IOException e) {
        unreadable.add(new CacheReport.Unreadable(id, String.valueOf(e.getMessage())));
      }
    }
    return new CacheReport(entries, unreadable);
  }

  private CacheReport.Entry entry(CacheDevice device) throws IOException {
    return new CacheReport.Entry(
        device.id(),
        device.table().blob(),
        device.lengthBytes(),
        occupiedBytes(device.id()),
        device.table().chunkCount(),
        device.presence().presentCount(),
        device.holders());
  }

  private ReentrantLock lockOf(DeviceId id) {
    return locks.get(Math.floorMod(id.hashCode(), LOCKS));
  }

  /** Ends all fetches, whose readers get an error, and makes durable what is present. */
  @Override
  public void close() throws IOException {
    try (lock;
        files) {
      threads.stopFetching();
      durability.flush();
      threads.stopDisk();
    }
  }
}

package sluice.cache;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
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
import sluice.core.StatementCheck;

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
 * cannot be written. None is remembered. All who wait for one chunk get the same exception.
 *
 * <p>A reader that is interrupted leaves. A request that is under way is finished all the same: its
 * bytes are paid for, and the next reader finds them. One that is not sent yet when its last reader
 * leaves is dropped.
 */
public final class ChunkCache implements DeviceStore, Closeable {
  private static final Logger log = LoggerFactory.getLogger(ChunkCache.class);

  private final CacheSettings settings;
  private final Failpoints failpoints;
  private final Shelf shelf;
  private final DirectoryLock lock;
  private final OpenFiles files;
  private final CacheThreads threads;
  private final Durability durability;
  private final Flights flights;
  private final Devices devices;
  private final Fetcher fetcher;

  private ChunkCache(
      Path directory,
      DirectoryLock lock,
      RangeSource source,
      ChunkDecoder decoder,
      StatementCheck statements,
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
    ChunkStore store = new ChunkStore(files, durability, failpoints);
    this.flights = new Flights();
    this.devices =
        new Devices(shelf, settings.bootId(), files, durability, store, flights, failpoints);
    FetchContext context =
        new FetchContext(
            source,
            new ChunkVerifier(decoder, statements),
            store,
            flights,
            new FetchScheduler(settings.lanes()),
            threads,
            listener);
    EqualChunks equals =
        new EqualChunks(
            devices.open(), devices.shared(), files, flights, threads, settings.copyBytes());
    this.fetcher = new Fetcher(context, equals, decoder);
  }

  /**
   * Opens the cache in {@code directory}, which is made if there is none. Its devices are opened
   * behind it; one that cannot be opened does not stop the others.
   *
   * @param statements compares chunks with what indexes state of them
   * @throws IOException if another process has it open
   */
  public static ChunkCache open(
      Path directory,
      RangeSource source,
      ChunkDecoder decoder,
      StatementCheck statements,
      CacheSettings settings,
      CacheListener listener,
      Failpoints failpoints)
      throws IOException {
    Path absolute = directory.toAbsolutePath();
    Files.createDirectories(absolute);
    DirectoryLock lock = DirectoryLock.acquire(absolute);
    try {
      ChunkCache cache =
          new ChunkCache(
              absolute, lock, source, decoder, statements, settings, listener, failpoints);
      cache.shelf.clean();
      cache.openAll();
      return cache;
    } catch (IOException | RuntimeException e) {
      lock.close();
      throw e;
    }
  }

  private void openAll() {
    threads.disk().execute(() -> devices.openAll(fetcher, threads.network()::isShutdown));
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
    return devices.publish(made, id, holders, present, fetcher);
  }

  @Override
  public LazyDevice open(DeviceId id) throws IOException {
    return devices.open(id, fetcher);
  }

  @Override
  public void addHolders(DeviceId id, Set<Repository> holders) throws IOException {
    devices.addHolders(id, holders, fetcher);
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
    devices.retain(live);
  }

  /** What all devices occupy on disk now, in bytes; opens none of them. */
  public long occupiedBytes() throws IOException {
    long bytes = 0;
    for (DeviceId id : shelf.ids()) {
      try {
        bytes += occupiedBytes(id);
      } catch (NoSuchFileException e) {
        log.debug("cache: device {} was deleted meanwhile", id);
      }
    }
    return bytes;
  }

  /** How many devices there are. */
  public int deviceCount() throws IOException {
    return shelf.ids().size();
  }

  /** What is in the cache now. */
  public CacheReport report() throws IOException {
    List<CacheReport.Entry> entries = new ArrayList<>();
    List<CacheReport.Unreadable> unreadable = new ArrayList<>();
    for (DeviceId id : shelf.ids()) {
      try {
        entries.add(entry(devices.open(id, fetcher)));
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
        device.dataBytes(chunk -> true),
        device.dataBytes(device.presence()::has),
        occupiedBytes(device.id()),
        device.table().chunkCount(),
        device.presence().presentCount(),
        lastUsed(device.file()),
        device.holders());
  }

  private static Instant lastUsed(Path file) throws IOException {
    BasicFileAttributes times = Files.readAttributes(file, BasicFileAttributes.class);
    return Collections.max(List.of(times.lastAccessTime(), times.lastModifiedTime())).toInstant();
  }

  /**
   * Hashes again all that is present of a device. Chunks that are wrong are no longer present: the
   * next read fetches them. The device is not deleted meanwhile. An interrupt of the caller ends it
   * after the chunk that it is at.
   *
   * @throws NoSuchFileException if there is no such device
   */
  public CheckReport check(DeviceId id, CheckReport.Listener listener)
      throws IOException, InterruptedException {
    AtomicBoolean left = new AtomicBoolean();
    CacheDevice device = devices.open(id, fetcher);
    DeviceCheck check =
        new DeviceCheck(device, files, listener, () -> left.get() || threads.disk().isShutdown());
    try {
      CheckReport report = CacheThreads.on(threads.disk(), () -> run(check, device));
      if (threads.disk().isShutdown()) {
        throw new IOException("cache: closed while device %s was checked".formatted(id));
      }
      return report;
    } finally {
      left.set(true);
    }
  }

  private CheckReport run(DeviceCheck check, CacheDevice device) throws IOException {
    flights.enter(device);
    try {
      return check.run();
    } finally {
      flights.exit(device);
    }
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

package sluice.cache;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntPredicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.core.CorruptException;
import sluice.core.DeviceId;
import sluice.core.Lane;
import sluice.core.LazyDevice;
import sluice.core.Repository;

/** One device of the cache: what it is made of, what is present, and who holds its blob. */
final class CacheDevice implements LazyDevice {
  private static final Logger log = LoggerFactory.getLogger(CacheDevice.class);

  private final DeviceId id;
  private final Path directory;
  private final ChunkTable table;
  private final DigestIndex digests;
  private final Presence presence;
  private final Fetcher fetcher;

  /** Held across syncs of this device's files, so that each knows what the one before it did. */
  private final ReentrantLock syncLock = new ReentrantLock();

  private volatile Set<Repository> holders;

  /** When it was added or opened last, as {@link ChunkCache#retain} counts. */
  private volatile long touched;

  /** Chunks on their way, and calls that use it; guarded by the lock of {@link Flights}. */
  int users;

  /** Written under the lock of {@link Flights}. */
  volatile boolean deleted;

  private CacheDevice(
      DeviceId id,
      Path directory,
      ChunkTable table,
      DigestIndex digests,
      Presence presence,
      Set<Repository> holders,
      Fetcher fetcher) {
    this.id = id;
    this.directory = directory;
    this.table = table;
    this.digests = digests;
    this.presence = presence;
    this.holders = holders;
    this.fetcher = fetcher;
  }

  /**
   * Opens the device in {@code directory}. What cannot be trusted is dropped: without a presence
   * file that makes sense, nothing is present.
   *
   * @throws CorruptException if the chunk table is not the one of {@code id}
   */
  static CacheDevice open(Path directory, DeviceId id, UUID boot, Fetcher fetcher)
      throws IOException {
    ChunkTable table = ChunkTable.open(directory.resolve(DeviceFiles.CHUNKS), id);
    return new CacheDevice(
        id,
        directory,
        table,
        openDigests(directory, table),
        openPresence(directory, table, boot),
        openHolders(directory),
        fetcher);
  }

  private static Set<Repository> openHolders(Path directory) throws IOException {
    try {
      return DeviceFiles.readHolders(directory);
    } catch (CorruptException | NoSuchFileException e) {
      log.warn("cache: device {} has no holders: {}", directory.getFileName(), e.getMessage());
      return Set.of();
    }
  }

  private static Presence openPresence(Path directory, ChunkTable table, UUID boot)
      throws IOException {
    Path file = directory.resolve(DeviceFiles.PRESENCE);
    Path data = directory.resolve(DeviceFiles.DATA);
    long length = table.header().deviceLength();
    String reason;
    if (!Files.exists(data) || Files.size(data) != length) {
      reason = data + " is not " + length + " bytes long";
    } else if (!Files.exists(file)) {
      reason = file + " is missing";
    } else {
      try {
        return Presence.open(file, table.chunkCount(), boot);
      } catch (CorruptException e) {
        reason = e.getMessage();
      }
    }
    log.warn("cache: device {} starts empty: {}", directory.getFileName(), reason);
    // In this order: the old maps must not be seen with a new, empty data file.
    Files.deleteIfExists(file);
    Files.deleteIfExists(data);
    DeviceFiles.setLength(data, length);
    Presence.create(file, table.chunkCount(), false, boot);
    Disk.syncDirectory(directory);
    return Presence.open(file, table.chunkCount(), boot);
  }

  private static DigestIndex openDigests(Path directory, ChunkTable table) throws IOException {
    Path file = directory.resolve(DeviceFiles.DIGESTS);
    if (Files.exists(file)) {
      DigestIndex digests = DigestIndex.open(file);
      if (digests.size() == DigestIndex.entryCount(table)) {
        return digests;
      }
    }
    Path fresh = directory.resolve(DeviceFiles.DIGESTS + ".new");
    try (FileChannel out =
        FileChannel.open(
            fresh,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      DigestIndex.write(table, out);
    }
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
    return DigestIndex.open(file);
  }

  @Override
  public DeviceId id() {
    return id;
  }

  @Override
  public long lengthBytes() {
    return table.header().deviceLength();
  }

  @Override
  public Path file() {
    return directory.resolve(DeviceFiles.DATA);
  }

  @Override
  public boolean present(long offset, long length) {
    checkRange(offset, length);
    if (presence.complete()) {
      return true;
    }
    long end = offset + length;
    int known = -1;
    for (int placement = table.placementAt(offset);
        placement < table.placementCount() && table.deviceOffset(placement) < end;
        placement++) {
      int chunk = table.chunkOf(placement);
      if (chunk != known && !presence.has(chunk)) {
        return false;
      }
      known = chunk;
    }
    return true;
  }

  @Override
  public void ensure(long offset, long length, Lane lane) throws IOException, InterruptedException {
    checkRange(offset, length);
    fetcher.ensure(this, offset, length, lane);
  }

  private void checkRange(long offset, long length) {
    if (offset < 0 || length < 0 || offset > lengthBytes() - length) {
      throw new IllegalArgumentException(
          "device %s: range of %d bytes at %d of %d".formatted(id, length, offset, lengthBytes()));
    }
  }

  /** Bytes of data that these chunks place in the device. */
  long dataBytes(IntPredicate chunks) {
    long bytes = 0;
    for (int placement = 0; placement < table.placementCount(); placement++) {
      if (chunks.test(table.chunkOf(placement))) {
        bytes += table.lengthBytes(placement);
      }
    }
    return bytes;
  }

  Path directory() {
    return directory;
  }

  ChunkTable table() {
    return table;
  }

  DigestIndex digests() {
    return digests;
  }

  Presence presence() {
    return presence;
  }

  ReentrantLock syncLock() {
    return syncLock;
  }

  Set<Repository> holders() {
    return holders;
  }

  void holders(Set<Repository> holders) {
    this.holders = Set.copyOf(holders);
  }

  /** The registries that may serve the device, at least one, which limits of requests go by. */
  Set<String> hosts() {
    Set<String> hosts = new TreeSet<>();
    for (Repository holder : holders) {
      hosts.add(
          switch (holder) {
            case Repository.InRegistry it -> it.registry();
            case Repository.InLayout _ -> Repository.LAYOUT_PREFIX;
          });
    }
    return hosts.isEmpty() ? Set.of("") : hosts;
  }

  long touched() {
    return touched;
  }

  void touch(long moment) {
    touched = moment;
  }

  @Override
  public String toString() {
    return "device " + id + " of blob " + table.blob();
  }
}

package sluice.cache;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.core.ContentHasher;
import sluice.core.CorruptException;
import sluice.core.Digest;

/**
 * Finds bytes that another device of this node, or another chunk, has already. Copies are verified
 * as what a registry sends is. Safe for use by many threads.
 */
final class EqualChunks {
  private static final Logger log = LoggerFactory.getLogger(EqualChunks.class);

  private final Collection<CacheDevice> devices;
  private final SharedDigests shared;
  private final OpenFiles files;
  private final Flights flights;
  private final CacheThreads threads;
  private final ByteBudget copies;

  /**
   * @param devices a live view of all devices
   * @param copyBytes most bytes that copies hold in memory at a time
   */
  EqualChunks(
      Collection<CacheDevice> devices,
      SharedDigests shared,
      OpenFiles files,
      Flights flights,
      CacheThreads threads,
      long copyBytes) {
    this.devices = devices;
    this.shared = shared;
    this.files = files;
    this.flights = flights;
    this.threads = threads;
    this.copies = new ByteBudget(copyBytes);
  }

  /** Bytes that are present: a placement of a device. */
  private record Source(CacheDevice device, int placement) {}

  /** What was read, and where: one source for each placement, in their order. */
  private record Copy(List<Source> sources, ByteBuffer decoded) {}

  /** Waits until the chunk may be held in memory, decoded; to be closed when it is written. */
  ByteBudget.Share hold(CacheDevice device, int chunk) throws InterruptedException {
    return copies.acquire(device.table().decodedLength(chunk));
  }

  /**
   * Reads the chunk's bytes from where else they are. If they cannot be read there, or are wrong, a
   * registry has them.
   *
   * @return the decoded chunk, verified; null if some of it is nowhere
   */
  @Nullable ByteBuffer read(CacheDevice device, int chunk) throws InterruptedException {
    try {
      Copy copy = CacheThreads.on(threads.disk(), () -> collect(device, chunk));
      if (copy == null) {
        return null;
      }
      Source wrong =
          CacheThreads.on(threads.compute(), () -> firstWrong(device.table(), chunk, copy));
      if (wrong == null) {
        return copy.decoded;
      }
      CacheThreads.on(threads.disk(), () -> distrust(wrong, "its bytes are not what they were"));
    } catch (IOException e) {
      log.warn("cache: chunk {} of {} is not copied: {}", chunk, device, e.toString());
    }
    return null;
  }

  /** Whether a look is worth it: each of the chunk's placements has a digest, one other has it. */
  boolean mayHave(CacheDevice device, int chunk) {
    try {
      return !sources(device, chunk).isEmpty();
    } catch (CorruptException e) {
      // Who decodes the chunk finds the same and says so.
      return false;
    }
  }

  private @Nullable Copy collect(CacheDevice device, int chunk) throws IOException {
    List<Source> sources = sources(device, chunk);
    if (sources.isEmpty()) {
      return null;
    }
    ChunkTable table = device.table();
    ByteBuffer decoded = ByteBuffer.allocate((int) table.decodedLength(chunk));
    int placement = table.firstPlacement(chunk);
    for (int i = 0; i < sources.size(); i++) {
      placement = i == 0 ? placement : table.nextPlacement(placement);
      int length = (int) table.lengthBytes(placement);
      read(sources.get(i), decoded.slice((int) table.decodedOffset(placement), length));
    }
    return new Copy(sources, decoded);
  }

  /** Reads while the source can't be deleted: another device may be in its place afterwards. */
  private void read(Source source, ByteBuffer into) throws IOException {
    flights.enter(source.device());
    try (OpenFiles.Handle handle = files.acquire(source.device().directory())) {
      Disk.read(handle.data(), into, source.device().table().deviceOffset(source.placement()));
    } catch (EOFException e) {
      distrust(source, "its file is too short");
      throw e;
    } finally {
      flights.exit(source.device());
    }
  }

  /** The first source whose bytes are not what their digest says, or null. */
  private static @Nullable Source firstWrong(ChunkTable table, int chunk, Copy copy)
      throws CorruptException {
    int placement = table.firstPlacement(chunk);
    for (int i = 0; i < copy.sources.size(); i++) {
      placement = i == 0 ? placement : table.nextPlacement(placement);
      Digest digest = Objects.requireNonNull(table.digest(placement));
      int length = (int) table.lengthBytes(placement);
      if (!ContentHasher.matches(
          digest, copy.decoded.slice((int) table.decodedOffset(placement), length))) {
        return copy.sources.get(i);
      }
    }
    return null;
  }

  /** Has the chunk of a source fetched again by whoever reads it next. */
  private @Nullable Void distrust(Source source, String reason) throws IOException {
    CacheDevice device = source.device();
    int chunk = device.table().chunkOf(source.placement());
    log.warn("cache: chunk {} of {} in {}: {}", chunk, device, device.file(), reason);
    flights.enter(device);
    try (OpenFiles.Handle handle = files.acquire(device.directory())) {
      device.presence().clear(chunk, handle.presence());
    } finally {
      flights.exit(device);
    }
    return null;
  }

  /** One source for each placement of the chunk; none at all if one of them is missing. */
  private List<Source> sources(CacheDevice device, int chunk) throws CorruptException {
    ChunkTable table = device.table();
    if (table.hasStatement(chunk)) {
      // It is about bytes that no device holds.
      return List.of();
    }
    List<Source> sources = new ArrayList<>();
    int placement = table.firstPlacement(chunk);
    for (int left = table.placementCount(chunk); left > 0; left--) {
      Digest digest = table.digest(placement);
      Source source =
          digest == null
              ? null
              : find(digest, table.digestPrefix(placement), table.lengthBytes(placement));
      if (source == null) {
        return List.of();
      }
      sources.add(source);
      if (left > 1) {
        placement = table.nextPlacement(placement);
      }
    }
    return sources;
  }

  private @Nullable Source find(Digest digest, int prefix, long length) {
    if (!shared.mayHave(prefix)) {
      return null;
    }
    for (CacheDevice device : devices) {
      if (device.presence().presentCount() == 0) {
        continue;
      }
      DigestIndex digests = device.digests();
      for (long entry = digests.find(prefix);
          entry < digests.size() && digests.prefix(entry) == prefix;
          entry++) {
        int placement = digests.placement(entry);
        if (holds(device, placement, digest, length)) {
          return new Source(device, placement);
        }
      }
    }
    return null;
  }

  private static boolean holds(CacheDevice device, int placement, Digest digest, long length) {
    ChunkTable table = device.table();
    return placement >= 0
        && placement < table.placementCount()
        && table.lengthBytes(placement) == length
        && digest.equals(table.digest(placement))
        && device.presence().has(table.chunkOf(placement));
  }
}

package sluice.cache;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
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
      CacheThreads threads,
      long copyBytes) {
    this.devices = devices;
    this.shared = shared;
    this.files = files;
    this.threads = threads;
    this.copies = new ByteBudget(copyBytes);
  }

  /** Bytes that are present: a placement of a device. */
  private record Source(CacheDevice device, int placement) {}

  /** Waits until the chunk may be held in memory, decoded; to be closed when it is written. */
  ByteBudget.Share hold(CacheDevice device, int chunk) throws InterruptedException {
    return copies.acquire(device.table().decodedLength(chunk));
  }

  /**
   * Reads the chunk's bytes from where else they are.
   *
   * @return the decoded chunk, verified; null if some of it is nowhere
   */
  @Nullable ByteBuffer read(CacheDevice device, int chunk)
      throws IOException, InterruptedException {
    try {
      ByteBuffer decoded = CacheThreads.on(threads.disk(), () -> collect(device, chunk));
      if (decoded == null) {
        return null;
      }
      return CacheThreads.on(
          threads.compute(),
          () -> {
            ChunkVerifier.verifyPlacements(device.table(), chunk, decoded);
            return decoded;
          });
    } catch (CorruptException | NoSuchFileException e) {
      // The other device was deleted just now, or its file was damaged: a registry has the bytes.
      log.warn("cache: chunk {} of {} is not copied: {}", chunk, device, e.getMessage());
      return null;
    }
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

  private @Nullable ByteBuffer collect(CacheDevice device, int chunk) throws IOException {
    List<Source> sources = sources(device, chunk);
    if (sources.isEmpty()) {
      return null;
    }
    ChunkTable table = device.table();
    ByteBuffer decoded = ByteBuffer.allocate((int) table.decodedLength(chunk));
    int placement = table.firstPlacement(chunk);
    for (int i = 0; i < sources.size(); i++) {
      placement = i == 0 ? placement : table.nextPlacement(placement);
      Source source = sources.get(i);
      int length = (int) table.lengthBytes(placement);
      ByteBuffer piece = decoded.slice((int) table.decodedOffset(placement), length);
      try (OpenFiles.Handle handle = files.acquire(source.device().directory())) {
        long offset = source.device().table().deviceOffset(source.placement());
        Disk.read(handle.data(), piece, offset);
      }
    }
    return decoded;
  }

  /** One source for each placement of the chunk; none at all if one of them is missing. */
  private List<Source> sources(CacheDevice device, int chunk) throws CorruptException {
    ChunkTable table = device.table();
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

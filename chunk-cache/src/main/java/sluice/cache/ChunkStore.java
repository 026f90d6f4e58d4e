package sluice.cache;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;

/** Writes verified chunks to the disk and marks them present. Runs on disk threads. */
final class ChunkStore {
  private final OpenFiles files;
  private final Durability durability;
  private final Failpoints failpoints;

  ChunkStore(OpenFiles files, Durability durability, Failpoints failpoints) {
    this.files = files;
    this.durability = durability;
    this.failpoints = failpoints;
  }

  /**
   * Writes a chunk's placements and marks it.
   *
   * @param decoded the decoded chunk, verified
   * @return how many bytes that were
   * @throws IOException if the disk refuses; then the chunk is not marked
   */
  long store(CacheDevice device, int chunk, ByteBuffer decoded) throws IOException {
    ChunkTable table = device.table();
    int losses = device.presence().losses();
    long bytes = 0;
    try (OpenFiles.Handle handle = files.acquire(device.directory())) {
      int placement = table.firstPlacement(chunk);
      for (int left = table.placementCount(chunk); ; placement = table.nextPlacement(placement)) {
        int length = (int) table.lengthBytes(placement);
        ByteBuffer piece = decoded.slice((int) table.decodedOffset(placement), length);
        bytes += Disk.write(handle.data(), piece, table.deviceOffset(placement));
        if (--left == 0) {
          break;
        }
      }
      failpoints.reached(Failpoints.Point.DATA_WRITTEN);
      mark(device, chunk, losses, handle, bytes);
    } catch (IOException e) {
      throw explain(device, chunk, e);
    }
    return bytes;
  }

  /**
   * Marks a chunk of zeros. Where its place is a hole, as it is in a new device, it stays one; what
   * a damaged device has there is overwritten.
   *
   * @throws IOException if the disk refuses; then the chunk is not marked
   */
  void storeZeros(CacheDevice device, int chunk) throws IOException {
    ChunkTable table = device.table();
    int losses = device.presence().losses();
    long bytes = 0;
    try (OpenFiles.Handle handle = files.acquire(device.directory())) {
      int placement = table.firstPlacement(chunk);
      for (int left = table.placementCount(chunk); left > 0; left--) {
        bytes +=
            Disk.zero(handle.data(), table.deviceOffset(placement), table.lengthBytes(placement));
        placement = left > 1 ? table.nextPlacement(placement) : placement;
      }
      mark(device, chunk, losses, handle, bytes);
    } catch (IOException e) {
      throw explain(device, chunk, e);
    }
  }

  /** Marks a chunk whose bytes are there: those of a stream that was verified, or of a copy. */
  void mark(CacheDevice device, int chunk, int losses, long bytes) throws IOException {
    try (OpenFiles.Handle handle = files.acquire(device.directory())) {
      mark(device, chunk, losses, handle, bytes);
    } catch (IOException e) {
      throw explain(device, chunk, e);
    }
  }

  private void mark(CacheDevice device, int chunk, int losses, OpenFiles.Handle handle, long bytes)
      throws IOException {
    if (!device.presence().mark(chunk, losses, handle.presence())) {
      throw new IOException("the disk failed to keep what was written at the same time");
    }
    failpoints.reached(Failpoints.Point.MARKED);
    durability.written(device, bytes);
  }

  /** The error with what a person needs who has to mend it. */
  IOException explain(CacheDevice device, int chunk, IOException cause) {
    if (device.deleted) {
      return new IOException("cache: %s was deleted".formatted(device), cause);
    }
    return new DiskException(
        "cache: cannot write chunk %d of %s to %s: %s; %s. It is not kept, the next read tries again"
            .formatted(chunk, device, device.file(), cause.getMessage(), freeSpace(device)),
        isFull(device),
        cause);
  }

  private static String freeSpace(CacheDevice device) {
    try {
      long free = Files.getFileStore(device.directory()).getUsableSpace();
      return "%d bytes are free on that file system%s"
          .formatted(
              free, free < DiskException.FULL_BELOW_BYTES ? ": remove images or enlarge it" : "");
    } catch (IOException e) {
      return "its free space is not known (" + e.getMessage() + ")";
    }
  }

  private static boolean isFull(CacheDevice device) {
    try {
      return Files.getFileStore(device.directory()).getUsableSpace()
          < DiskException.FULL_BELOW_BYTES;
    } catch (IOException e) {
      return false;
    }
  }
}

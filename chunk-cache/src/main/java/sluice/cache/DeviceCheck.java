package sluice.cache;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.core.ContentHasher;
import sluice.core.Digest;

/**
 * Hashes again what a device has. For one thread, once, and one that nobody interrupts: that would
 * close the files for all who read them.
 */
final class DeviceCheck {
  private static final Logger log = LoggerFactory.getLogger(DeviceCheck.class);

  private final CacheDevice device;
  private final ChunkTable table;
  private final OpenFiles files;
  private final CheckReport.Listener listener;
  private final BooleanSupplier stopped;
  private final List<CheckReport.Bad> bad = new ArrayList<>();
  private int sound;
  private int unverifiable;

  /**
   * @param stopped asked before each chunk, whether nobody wants the rest
   */
  DeviceCheck(
      CacheDevice device, OpenFiles files, CheckReport.Listener listener, BooleanSupplier stopped) {
    this.device = device;
    this.table = device.table();
    this.files = files;
    this.listener = listener;
    this.stopped = stopped;
  }

  /** Checks all chunks, or until it is stopped. */
  CheckReport run() throws IOException {
    try (OpenFiles.Handle handle = files.acquire(device.directory())) {
      for (int chunk = 0; chunk < table.chunkCount() && !stopped.getAsBoolean(); chunk++) {
        if (device.presence().has(chunk)) {
          check(chunk, handle);
        }
      }
    }
    return new CheckReport(device.id(), sound, unverifiable, bad);
  }

  private void check(int chunk, OpenFiles.Handle handle) throws IOException {
    int placement = table.firstPlacement(chunk);
    boolean covered = true;
    for (int left = table.placementCount(chunk); left > 0; left--) {
      Digest expected = table.digest(placement);
      if (expected == null) {
        covered = false;
      } else {
        Digest found = hash(placement, expected.algorithm(), handle);
        if (!found.equals(expected)) {
          clear(bad(chunk, placement, expected, found), handle);
          return;
        }
      }
      placement = left > 1 ? table.nextPlacement(placement) : placement;
    }
    sound += covered ? 1 : 0;
    unverifiable += covered ? 0 : 1;
  }

  private Digest hash(int placement, Digest.Algorithm algorithm, OpenFiles.Handle handle)
      throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate((int) table.lengthBytes(placement));
    Disk.read(handle.data(), bytes, table.deviceOffset(placement));
    byte[] hash = ContentHasher.hash(algorithm, bytes.flip());
    listener.hashed(bytes.limit());
    return Digest.of(algorithm, hash);
  }

  private CheckReport.Bad bad(int chunk, int placement, Digest expected, Digest found) {
    return new CheckReport.Bad(
        table.blob(),
        chunk,
        table.encoded(chunk),
        table.deviceOffset(placement),
        table.lengthBytes(placement),
        expected,
        found);
  }

  private void clear(CheckReport.Bad wrong, OpenFiles.Handle handle) throws IOException {
    device.presence().clear(wrong.number(), handle.presence());
    log.warn("cache: device {}: {}; it is fetched again", device.id(), wrong);
    bad.add(wrong);
    listener.found(wrong);
  }
}

package sluice.cache;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.core.ContentHasher;
import sluice.core.Digest;

/** Hashes again what a device has. For one thread, once. */
final class DeviceCheck {
  private static final Logger log = LoggerFactory.getLogger(DeviceCheck.class);

  private final CacheDevice device;
  private final ChunkTable table;
  private final OpenFiles files;
  private final List<String> bad = new ArrayList<>();
  private int sound;
  private int unverifiable;

  DeviceCheck(CacheDevice device, OpenFiles files) {
    this.device = device;
    this.table = device.table();
    this.files = files;
  }

  CheckReport run() throws IOException {
    try (OpenFiles.Handle handle = files.acquire(device.directory())) {
      for (int chunk = 0; chunk < table.chunkCount(); chunk++) {
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
      Digest digest = table.digest(placement);
      if (digest == null) {
        covered = false;
      } else if (!matches(placement, digest, handle)) {
        clear(chunk, placement, digest, handle);
        return;
      }
      placement = left > 1 ? table.nextPlacement(placement) : placement;
    }
    sound += covered ? 1 : 0;
    unverifiable += covered ? 0 : 1;
  }

  private boolean matches(int placement, Digest digest, OpenFiles.Handle handle)
      throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate((int) table.lengthBytes(placement));
    Disk.read(handle.data(), bytes, table.deviceOffset(placement));
    return ContentHasher.matches(digest, bytes.flip());
  }

  private void clear(int chunk, int placement, Digest digest, OpenFiles.Handle handle)
      throws IOException {
    device.presence().clear(chunk, handle.presence());
    String message =
        "chunk %d %s of %s: %d bytes at %d of %s are not %s"
            .formatted(
                chunk,
                table.encoded(chunk),
                device,
                table.lengthBytes(placement),
                table.deviceOffset(placement),
                device.file(),
                digest);
    log.warn("cache: {}; it is fetched again", message);
    bad.add(message);
  }
}

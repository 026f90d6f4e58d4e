package sluice.cache;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Fills a device with what an equal one, that was staged, has. For one thread. */
final class StagedCopy {
  private static final int PIECE_BYTES = 256 << 10;

  private final CacheDevice device;
  private final ChunkStore store;
  private final ByteBuffer piece = ByteBuffer.allocate(PIECE_BYTES);

  StagedCopy(CacheDevice device, ChunkStore store) {
    this.device = device;
    this.store = store;
  }

  /** Copies all chunks that the device lacks from {@code data}, a whole and verified file. */
  void copyFrom(Path data) throws IOException {
    try (FileChannel from = FileChannel.open(data, StandardOpenOption.READ);
        FileChannel to = FileChannel.open(device.file(), StandardOpenOption.WRITE)) {
      for (int chunk = 0; chunk < device.table().chunkCount(); chunk++) {
        if (!device.presence().has(chunk)) {
          copy(chunk, from, to);
        }
      }
    }
  }

  private void copy(int chunk, FileChannel from, FileChannel to) throws IOException {
    ChunkTable table = device.table();
    if (table.isZeros(chunk)) {
      store.storeZeros(device, chunk);
      return;
    }
    int losses = device.presence().losses();
    long bytes = 0;
    int placement = table.firstPlacement(chunk);
    for (int left = table.placementCount(chunk); left > 0; left--) {
      bytes += table.lengthBytes(placement);
      copy(table.deviceOffset(placement), table.lengthBytes(placement), from, to);
      placement = left > 1 ? table.nextPlacement(placement) : placement;
    }
    store.mark(device, chunk, losses, bytes);
  }

  private void copy(long offset, long length, FileChannel from, FileChannel to) throws IOException {
    for (long done = 0; done < length; done += piece.limit()) {
      piece.clear().limit((int) Math.min(PIECE_BYTES, length - done));
      Disk.read(from, piece, offset + done);
      Disk.write(to, piece.flip(), offset + done);
    }
  }
}

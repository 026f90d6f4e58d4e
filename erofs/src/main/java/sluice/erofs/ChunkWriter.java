package sluice.erofs;

import static sluice.erofs.ImageBytes.LE_INT;
import static sluice.erofs.ImageBytes.LE_SHORT;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** Turns extents into chunk indexes, for chunks of a size that the extents allow. */
final class ChunkWriter implements TreeSource.ExtentSink {

  private final ImageOutput output;
  private final ChunkPlan chunks;
  private long written;

  ChunkWriter(ImageOutput output, ChunkPlan chunks) {
    this.output = output;
    this.chunks = chunks;
  }

  /** Writes the chunks that begin in this extent, and the holes before them. */
  @Override
  public void extent(Extent extent) throws IOException {
    while (written << chunks.bits() < extent.fileOffset()) {
      write(0, (int) ChunkIndexes.HOLE);
    }
    while (written << chunks.bits() < extent.fileEnd()) {
      long within = (written << chunks.bits()) - extent.fileOffset();
      long block = (extent.deviceOffset() + within) >> ImagePlan.BLOCK_BITS;
      write(extent.device() + 1, (int) block);
    }
  }

  /** Writes the holes at the end. */
  void finish() throws IOException {
    while (written < chunks.count()) {
      write(0, (int) ChunkIndexes.HOLE);
    }
  }

  private void write(int deviceId, int block) throws IOException {
    MemorySegment at = output.next(ChunkIndexes.INDEX_BYTES);
    at.set(LE_SHORT, 2, (short) deviceId);
    at.set(LE_INT, 4, block);
    written++;
  }
}

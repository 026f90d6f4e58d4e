package sluice.erofs;

import java.io.IOException;

/**
 * How a file's chunk indexes are laid out: chunks as large as its extents allow, so that there are
 * as few as possible. A file in one piece needs one.
 *
 * <p>A chunk lies in one piece in one device or is a hole, so every place where the file's data
 * jumps must be a multiple of the chunk size.
 *
 * @param bits binary logarithm of the chunk size, 12 to 43
 * @param count number of chunks
 */
record ChunkPlan(int bits, long count) {

  private static final int BLOCK_BITS = 12;

  /** {@code EROFS_CHUNK_FORMAT_BLKBITS_MASK}: five bits over those of a block. */
  private static final int MAX_BITS = BLOCK_BITS + ChunkIndexes.FORMAT_BITS_MASK;

  /** 128 MiB of indexes, for 64 GiB in the worst order: hostile sparse files claim more. */
  static final long MAX_CHUNKS = 1 << 24;

  /** The chunk format of the inode ({@code i_u}). */
  int format() {
    return ChunkIndexes.FORMAT_INDEXES | (bits - BLOCK_BITS);
  }

  static ChunkPlan of(TreeSource source, int inode, long sizeBytes) throws IOException {
    Jumps jumps = new Jumps();
    source.extents(inode, jumps);
    jumps.end(sizeBytes);
    int whole = Long.SIZE - Long.numberOfLeadingZeros(Math.max(sizeBytes - 1, 1));
    int bits =
        Math.max(
            BLOCK_BITS,
            Math.min(Math.min(whole, MAX_BITS), Long.numberOfTrailingZeros(jumps.bits)));
    return new ChunkPlan(bits, sizeBytes == 0 ? 0 : ((sizeBytes - 1) >>> bits) + 1);
  }

  /** Collects the bits of all offsets at which data does not go on in a row. */
  private static final class Jumps implements TreeSource.ExtentSink {
    long bits;
    private long fileEnd;
    private int device = -1;
    private long deviceEnd;

    @Override
    public void extent(Extent extent) {
      boolean goesOn =
          extent.fileOffset() == fileEnd
              && extent.device() == device
              && extent.deviceOffset() == deviceEnd;
      if (!goesOn) {
        bits |= fileEnd | extent.fileOffset();
      }
      fileEnd = roundUp(extent.fileEnd());
      device = extent.device();
      deviceEnd = roundUp(extent.deviceOffset() + extent.lengthBytes());
    }

    void end(long sizeBytes) {
      if (fileEnd < sizeBytes) {
        bits |= fileEnd;
      }
    }

    private static long roundUp(long bytes) {
      return (bytes + DeviceSlot.BLOCK_BYTES - 1) & -DeviceSlot.BLOCK_BYTES;
    }
  }
}

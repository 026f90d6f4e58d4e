package sluice.fuse.raw;

import java.lang.foreign.MemorySegment;
import sluice.fuse.ReadOnlyFileSystem.Statistics;

/**
 * {@code struct fuse_statfs_out}, which is {@code struct fuse_kstatfs}, 80 bytes:
 *
 * <pre>
 *  0 u64 blocks     32 u64 ffree
 *  8 u64 bfree      40 u32 bsize
 * 16 u64 bavail     44 u32 namelen
 * 24 u64 files      48 u32 frsize
 *                   52 u32 padding, u32 spare[6]
 * </pre>
 */
final class StatFsOut {

  static final int BYTES = 80;

  private StatFsOut() {}

  static void write(MemorySegment segment, long at, Statistics statistics) {
    segment.asSlice(at, BYTES).fill((byte) 0);
    Wire.put64(segment, at, statistics.blocks());
    Wire.put64(segment, at + 24, statistics.files());
    Wire.put32(segment, at + 40, Statistics.BLOCK_BYTES);
    Wire.put32(segment, at + 44, Statistics.MAX_NAME_BYTES);
    Wire.put32(segment, at + 48, Statistics.BLOCK_BYTES);
  }
}

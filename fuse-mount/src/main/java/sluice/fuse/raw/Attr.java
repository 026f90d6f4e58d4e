package sluice.fuse.raw;

import java.lang.foreign.MemorySegment;
import sluice.fuse.NodeAttributes;
import sluice.fuse.ReadOnlyFileSystem;

/**
 * {@code struct fuse_attr}, 88 bytes:
 *
 * <pre>
 *  0 u64 ino       48 u32 atimensec   76 u32 rdev
 *  8 u64 size      52 u32 mtimensec   80 u32 blksize
 * 16 u64 blocks    56 u32 ctimensec   84 u32 flags
 * 24 u64 atime     60 u32 mode
 * 32 u64 mtime     64 u32 nlink
 * 40 u64 ctime     68 u32 uid
 *                  72 u32 gid
 * </pre>
 */
final class Attr {

  static final int BYTES = 88;

  private Attr() {}

  static void write(MemorySegment segment, long at, NodeAttributes a) {
    Wire.put64(segment, at, a.ino());
    Wire.put64(segment, at + 8, a.sizeBytes());
    Wire.put64(segment, at + 16, a.blocks());
    Wire.put64(segment, at + 24, a.mtimeSeconds());
    Wire.put64(segment, at + 32, a.mtimeSeconds());
    Wire.put64(segment, at + 40, a.mtimeSeconds());
    Wire.put32(segment, at + 48, a.mtimeNanos());
    Wire.put32(segment, at + 52, a.mtimeNanos());
    Wire.put32(segment, at + 56, a.mtimeNanos());
    Wire.put32(segment, at + 60, a.mode());
    Wire.put32(segment, at + 64, a.nlink());
    Wire.put32(segment, at + 68, a.uid());
    Wire.put32(segment, at + 72, a.gid());
    Wire.put32(segment, at + 76, a.rdev());
    Wire.put32(segment, at + 80, ReadOnlyFileSystem.Statistics.BLOCK_BYTES);
    Wire.put32(segment, at + 84, 0);
  }

  static NodeAttributes read(MemorySegment segment, long at) {
    return new NodeAttributes(
        Wire.i64(segment, at),
        Wire.i32(segment, at + 60),
        Wire.u32(segment, at + 68),
        Wire.u32(segment, at + 72),
        Wire.i64(segment, at + 8),
        Wire.i64(segment, at + 32),
        Wire.i32(segment, at + 52),
        Wire.i32(segment, at + 64),
        Wire.u32(segment, at + 76));
  }
}

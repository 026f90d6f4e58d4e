package sluice.fuse.raw;

import java.lang.foreign.MemorySegment;

/**
 * {@code struct fuse_out_header}, 16 bytes:
 *
 * <pre>
 * 0 u32 len
 * 4 i32 error (0, a negative errno, or with unique 0 the code of a notification)
 * 8 u64 unique
 * </pre>
 */
record OutHeader(long lengthBytes, int error, long unique) {

  static final int BYTES = 16;

  static OutHeader read(MemorySegment segment, long at) {
    return new OutHeader(
        Wire.u32(segment, at), Wire.i32(segment, at + 4), Wire.i64(segment, at + 8));
  }

  void write(MemorySegment segment, long at) {
    Wire.put32(segment, at, lengthBytes);
    Wire.put32(segment, at + 4, error);
    Wire.put64(segment, at + 8, unique);
  }
}

package sluice.fuse.raw;

import java.lang.foreign.MemorySegment;

/**
 * {@code struct fuse_init_out}, 64 bytes:
 *
 * <pre>
 *  0 u32 major            20 u32 max_write
 *  4 u32 minor            24 u32 time_gran (nanoseconds)
 *  8 u32 max_readahead    28 u16 max_pages
 * 12 u32 flags            30 u16 map_alignment
 * 16 u16 max_background   32 u32 flags2 (bits 32 to 63 of the flags)
 * 18 u16 congestion_      36 u32 unused[7]
 *        threshold
 * </pre>
 */
record InitOut(
    int minor,
    int maxReadaheadBytes,
    long flags,
    int maxBackground,
    int congestionThreshold,
    int maxWriteBytes,
    int maxPages) {

  static final int BYTES = 64;

  /** {@code FUSE_KERNEL_VERSION}. */
  static final int MAJOR = 7;

  private static final int TIME_GRANULARITY_NANOS = 1;

  static InitOut read(MemorySegment segment, long at) {
    return new InitOut(
        Wire.i32(segment, at + 4),
        Wire.i32(segment, at + 8),
        Wire.u32(segment, at + 12) | Wire.u32(segment, at + 32) << Integer.SIZE,
        Wire.u16(segment, at + 16),
        Wire.u16(segment, at + 18),
        Wire.i32(segment, at + 20),
        Wire.u16(segment, at + 28));
  }

  void write(MemorySegment segment, long at) {
    segment.asSlice(at, BYTES).fill((byte) 0);
    Wire.put32(segment, at, MAJOR);
    Wire.put32(segment, at + 4, minor);
    Wire.put32(segment, at + 8, maxReadaheadBytes);
    Wire.put32(segment, at + 12, flags);
    Wire.put16(segment, at + 16, maxBackground);
    Wire.put16(segment, at + 18, congestionThreshold);
    Wire.put32(segment, at + 20, maxWriteBytes);
    Wire.put32(segment, at + 24, TIME_GRANULARITY_NANOS);
    Wire.put16(segment, at + 28, maxPages);
    Wire.put32(segment, at + 32, flags >>> Integer.SIZE);
  }
}

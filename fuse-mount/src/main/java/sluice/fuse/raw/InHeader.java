package sluice.fuse.raw;

import java.lang.foreign.MemorySegment;

/**
 * {@code struct fuse_in_header}, 40 bytes:
 *
 * <pre>
 *  0 u32 len            32 u32 pid
 *  4 u32 opcode         36 u16 total_extlen (in units of 8 bytes, at the end of the request)
 *  8 u64 unique         38 u16 padding
 * 16 u64 nodeid
 * 24 u32 uid
 * 28 u32 gid
 * </pre>
 *
 * @param lengthBytes of the whole request, this header included
 */
record InHeader(long lengthBytes, int opcode, long unique, long node, int pid) {

  static final int BYTES = 40;

  static InHeader read(MemorySegment segment, long at) {
    return new InHeader(
        Wire.u32(segment, at),
        Wire.i32(segment, at + 4),
        Wire.i64(segment, at + 8),
        Wire.i64(segment, at + 16),
        Wire.i32(segment, at + 32));
  }

  void write(MemorySegment segment, long at) {
    Wire.put32(segment, at, lengthBytes);
    Wire.put32(segment, at + 4, opcode);
    Wire.put64(segment, at + 8, unique);
    Wire.put64(segment, at + 16, node);
    Wire.put64(segment, at + 24, 0);
    Wire.put32(segment, at + 32, pid);
    Wire.put32(segment, at + 36, 0);
  }
}

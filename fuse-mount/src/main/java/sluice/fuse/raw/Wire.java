package sluice.fuse.raw;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Fields of the protocol: integers in the machine's byte order, each at a multiple of its size
 * ({@code linux/fuse.h}: all structures are padded to 64 bits).
 */
final class Wire {

  private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;

  private Wire() {}

  static int u16(MemorySegment segment, long at) {
    return Short.toUnsignedInt(segment.get(SHORT, at));
  }

  static int i32(MemorySegment segment, long at) {
    return segment.get(INT, at);
  }

  static long u32(MemorySegment segment, long at) {
    return Integer.toUnsignedLong(segment.get(INT, at));
  }

  static long i64(MemorySegment segment, long at) {
    return segment.get(LONG, at);
  }

  static void put16(MemorySegment segment, long at, int value) {
    segment.set(SHORT, at, (short) value);
  }

  /** The low 32 bits of {@code value}. */
  static void put32(MemorySegment segment, long at, long value) {
    segment.set(INT, at, (int) value);
  }

  static void put64(MemorySegment segment, long at, long value) {
    segment.set(LONG, at, value);
  }

  /** {@code FUSE_REC_ALIGN}. */
  static long align(long length) {
    return (length + Long.BYTES - 1) & -Long.BYTES;
  }
}

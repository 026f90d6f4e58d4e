package sluice.fuse.raw;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import sluice.core.Bytes;

/**
 * {@code struct fuse_dirent}, 24 bytes and the name, padded to 8:
 *
 * <pre>
 *  0 u64 ino        16 u32 namelen
 *  8 u64 off        20 u32 type
 *                   24 name
 * </pre>
 *
 * In READDIRPLUS a {@code struct fuse_entry_out} comes before it ({@code struct fuse_direntplus}).
 */
final class Dirent {

  static final int HEADER_BYTES = 24;

  private Dirent() {}

  /** Length of the entry of a name, with its padding. */
  static long bytes(Bytes name) {
    return Wire.align(HEADER_BYTES + name.length());
  }

  /**
   * Writes an entry with its padding.
   *
   * @param cookie where the listing goes on after this entry
   */
  static void write(MemorySegment segment, long at, long ino, long cookie, int type, Bytes name) {
    Wire.put64(segment, at, ino);
    Wire.put64(segment, at + 8, cookie);
    Wire.put32(segment, at + 16, name.length());
    Wire.put32(segment, at + 20, type);
    put(segment, at + HEADER_BYTES, name);
    long end = at + HEADER_BYTES + name.length();
    segment.asSlice(end, at + bytes(name) - end).fill((byte) 0);
  }

  /** Copies bytes to {@code at}. */
  static void put(MemorySegment segment, long at, Bytes bytes) {
    for (int i = 0; i < bytes.length(); i++) {
      segment.set(ValueLayout.JAVA_BYTE, at + i, bytes.at(i));
    }
  }
}

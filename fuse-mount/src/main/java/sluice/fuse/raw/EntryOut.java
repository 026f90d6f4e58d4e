package sluice.fuse.raw;

import java.lang.foreign.MemorySegment;
import sluice.fuse.NodeAttributes;
import sluice.fuse.ReadOnlyFileSystem;

/**
 * {@code struct fuse_entry_out}, 128 bytes:
 *
 * <pre>
 *  0 u64 nodeid         32 u32 entry_valid_nsec
 *  8 u64 generation     36 u32 attr_valid_nsec
 * 16 u64 entry_valid    40 struct fuse_attr
 * 24 u64 attr_valid
 * </pre>
 *
 * The generation is 0: node ids are not used twice.
 */
final class EntryOut {

  static final int BYTES = 128;
  private static final int ATTR = 40;

  private EntryOut() {}

  /**
   * Says what a name leads to.
   *
   * @param entrySeconds how long the kernel may keep the name
   * @param attrSeconds how long it may keep the attributes
   */
  static void write(
      MemorySegment segment,
      long at,
      long node,
      long entrySeconds,
      long attrSeconds,
      NodeAttributes attributes) {
    Wire.put64(segment, at, node);
    Wire.put64(segment, at + 8, 0);
    Wire.put64(segment, at + 16, entrySeconds);
    Wire.put64(segment, at + 24, attrSeconds);
    Wire.put64(segment, at + 32, 0);
    Attr.write(segment, at + ATTR, attributes);
  }

  /** There is no such name, or (in READDIRPLUS) nothing is said of it. */
  static void writeNone(MemorySegment segment, long at, long entrySeconds) {
    segment.asSlice(at, BYTES).fill((byte) 0);
    Wire.put64(segment, at, ReadOnlyFileSystem.NO_NODE);
    Wire.put64(segment, at + 16, entrySeconds);
  }
}

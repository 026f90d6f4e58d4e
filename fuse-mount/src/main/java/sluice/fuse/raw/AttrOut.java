package sluice.fuse.raw;

import java.lang.foreign.MemorySegment;
import sluice.fuse.NodeAttributes;

/**
 * {@code struct fuse_attr_out}, 104 bytes:
 *
 * <pre>
 *  0 u64 attr_valid
 *  8 u32 attr_valid_nsec
 * 12 u32 dummy
 * 16 struct fuse_attr
 * </pre>
 */
final class AttrOut {

  static final int BYTES = 104;
  private static final int ATTR = 16;

  private AttrOut() {}

  static void write(MemorySegment segment, long at, long attrSeconds, NodeAttributes attributes) {
    Wire.put64(segment, at, attrSeconds);
    Wire.put64(segment, at + 8, 0);
    Attr.write(segment, at + ATTR, attributes);
  }
}

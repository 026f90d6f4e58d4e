package sluice.fuse.raw;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import sluice.core.Bytes;
import sluice.fuse.ReadOnlyFileSystem;

/**
 * What notifications carry.
 *
 * <pre>
 * struct fuse_notify_inval_entry_out    struct fuse_notify_inval_inode_out
 *  0 u64 parent                          0 u64 ino
 *  8 u32 namelen                         8 i64 off
 * 12 u32 flags                          16 i64 len (0: to the end)
 * 16 name, NUL
 * </pre>
 */
final class NotifyBodies {

  private static final int INVAL_ENTRY_BYTES = 16;
  private static final int INVAL_INODE_BYTES = 24;
  static final int MAX_BYTES = INVAL_ENTRY_BYTES + ReadOnlyFileSystem.Statistics.MAX_NAME_BYTES + 1;

  private NotifyBodies() {}

  /** The length of the body. */
  static int invalidateEntry(MemorySegment body, long parent, Bytes name) {
    Wire.put64(body, 0, parent);
    Wire.put32(body, 8, name.length());
    Wire.put32(body, 12, 0);
    Dirent.put(body, INVAL_ENTRY_BYTES, name);
    body.set(ValueLayout.JAVA_BYTE, INVAL_ENTRY_BYTES + name.length(), (byte) 0);
    return INVAL_ENTRY_BYTES + name.length() + 1;
  }

  /** Attributes and all pages of a node; the length of the body. */
  static int invalidateNode(MemorySegment body, long node) {
    Wire.put64(body, 0, node);
    Wire.put64(body, 8, 0);
    Wire.put64(body, 16, 0);
    return INVAL_INODE_BYTES;
  }
}

package sluice.erofs;

import java.util.Map;
import sluice.core.Bytes;
import sluice.erofs.LayerInode.Directory;
import sluice.erofs.LayerInode.LinkBelow;
import sluice.erofs.LayerInode.RegularFile;
import sluice.erofs.LayerInode.Special;
import sluice.erofs.LayerInode.Symlink;
import sluice.erofs.LayerInode.Whiteout;

/**
 * What the parts of a {@link LayerTree} take of the heap, in bytes, by the layout of objects in a
 * 64-bit JVM with compressed references: a header of 12 bytes (16 of an array), 4 for a reference,
 * all rounded up to 8.
 */
final class TreeHeap {

  /** {@code HashMap.Node} (32), and its place in a table that is between 3/8 and 3/4 full. */
  private static final int NAME = 32 + 11;

  /**
   * {@link LayerInode} (24) and {@link Attributes} (48); and the columns of ints of {@link
   * LayerTreeSource} and {@link ImagePlan} while it is written, of which half may be empty (61),
   * and what formats keep for each file (48 where its data lies, or 32 of its path).
   */
  private static final int INODE = 24 + 48 + 61 + 48;

  /** The payload, the {@code HashMap}, and its first table of 16 places. */
  private static final int DIRECTORY = 24 + 48 + 80;

  /** The payload, {@link FileContent}, and a list. */
  private static final int FILE = 16 + 24 + 24;

  private static final int EXTENT = 40 + 4;

  /** A payload of one field. */
  private static final int SMALL_PAYLOAD = 24;

  /** {@code Bytes}, and the head of its array; with what rounding up adds on average. */
  private static final int BYTES = 16 + 16 + 4;

  /** The {@code TreeMap} and what makes it unmodifiable. */
  private static final int XATTRS = 48 + 32;

  /**
   * {@code TreeMap.Entry}; and in {@link XattrPlan} a hash, in a column that may be half empty and
   * is copied, and, for at most half of them, what tells a shared one (80).
   */
  private static final int XATTR = 40 + 24 + 40;

  private TreeHeap() {}

  /** One more name of an inode. */
  static long name(Bytes name) {
    return NAME + bytes(name);
  }

  /** A new inode. */
  static long inode(LayerInode inode) {
    long payload =
        switch (inode.payload) {
          case Directory _ -> DIRECTORY;
          case RegularFile(FileContent content) -> FILE + (long) EXTENT * content.extents().size();
          case Symlink(Bytes target) -> SMALL_PAYLOAD + bytes(target);
          case LinkBelow(Bytes target) -> SMALL_PAYLOAD + bytes(target);
          case Special _, Whiteout _ -> SMALL_PAYLOAD;
        };
    return INODE + payload + xattrs(inode.attributes.xattrs());
  }

  static long xattrs(Map<Bytes, Bytes> xattrs) {
    long bytes = xattrs.isEmpty() ? 0 : XATTRS;
    for (Map.Entry<Bytes, Bytes> xattr : xattrs.entrySet()) {
      bytes += XATTR + bytes(xattr.getKey()) + bytes(xattr.getValue());
    }
    return bytes;
  }

  private static long bytes(Bytes bytes) {
    return BYTES + (long) bytes.length();
  }
}

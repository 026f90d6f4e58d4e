package sluice.erofs;

import static sluice.erofs.ImageBytes.LE_INT;
import static sluice.erofs.ImageBytes.LE_LONG;
import static sluice.erofs.ImageBytes.LE_SHORT;

import java.lang.foreign.MemorySegment;
import sluice.core.CorruptException;

/**
 * One inode of an image.
 *
 * <pre>
 * compact, 32 bytes                    extended, 64 bytes
 * struct erofs_inode_compact           struct erofs_inode_extended
 *   0 u16 i_format                       0 u16 i_format
 *   2 u16 i_xattr_icount                 2 u16 i_xattr_icount
 *   4 u16 i_mode                         4 u16 i_mode
 *   6 u16 i_nlink                        6 u16 reserved
 *   8 u32 i_size                         8 u64 i_size
 *  12 u32 reserved                      16 u32 i_u
 *  16 u32 i_u                           20 u32 i_ino
 *  20 u32 i_ino                         24 u32 i_uid
 *  24 u16 i_uid                         28 u32 i_gid
 *  26 u16 i_gid                         32 u64 i_mtime
 *  28 u32 reserved                      40 u32 i_mtime_nsec
 *                                       44 u32 i_nlink
 *                                       48 u8[16] reserved
 * </pre>
 *
 * {@code i_format}: bit 0 says extended, bits 1 to 3 the {@link DataLayout}. {@code i_u} is the
 * first block of flat data, the chunk format, or the number of a device.
 *
 * @param nid its number, unique within the image
 * @param mode {@code st_mode}, the type bits always of a {@link FileType}
 * @param uid unsigned 32 bits
 * @param gid unsigned 32 bits
 * @param sizeBytes {@code st_size}, never negative
 * @param mtimeSeconds seconds since 1970, negative before
 * @param mtimeNanos 0 to 999,999,999
 * @param nlink number of names; of directories, 2 and the number of directories in it
 * @param rdev {@link DeviceNumber#encoded} of a device, else 0
 * @param layout how its data lies
 * @param layoutWord {@code i_u}
 * @param headerBytes size of the on-disk inode, 32 or 64
 * @param xattrBytes size of the xattrs behind it
 */
public record Inode(
    long nid,
    int mode,
    long uid,
    long gid,
    long sizeBytes,
    long mtimeSeconds,
    int mtimeNanos,
    long nlink,
    long rdev,
    DataLayout layout,
    int layoutWord,
    int headerBytes,
    int xattrBytes) {

  /** Inodes begin at multiples of this many bytes. */
  static final int SLOT_BYTES = 32;

  static final int COMPACT_BYTES = 32;
  static final int EXTENDED_BYTES = 64;

  private static final String STRUCTURE = "inode";
  private static final int EXTENDED = 1;
  private static final int LAYOUT_SHIFT = 1;
  private static final int LAYOUT_MASK = 7;
  private static final int FORMAT_MASK = EXTENDED | LAYOUT_MASK << LAYOUT_SHIFT;
  private static final int NANOS_PER_SECOND = 1_000_000_000;

  public FileType type() {
    return FileType.ofMode(mode);
  }

  public boolean isDirectory() {
    return FileType.DIRECTORY.of(mode);
  }

  /** Where the inode begins in the image. */
  long offset(Superblock superblock) {
    return superblock.metaOffset() + nid * SLOT_BYTES;
  }

  /** Where what follows inode and xattrs begins: inline data, or an index array. */
  long bodyOffset(Superblock superblock) {
    return offset(superblock) + headerBytes + xattrBytes;
  }

  static Inode read(ImageBytes image, Superblock superblock, long nid) throws CorruptException {
    if (nid <= 0 || nid > image.length() / SLOT_BYTES) {
      throw image.corrupt("inode: nid " + Long.toUnsignedString(nid) + " lies outside", -1);
    }
    long offset = superblock.metaOffset() + nid * SLOT_BYTES;
    int format = image.u16(STRUCTURE, offset);
    Inode inode =
        (format & EXTENDED) != 0
            ? extended(image.slice(STRUCTURE, offset, EXTENDED_BYTES), nid, image)
            : compact(image.slice(STRUCTURE, offset, COMPACT_BYTES), nid, superblock, image);
    if (inode.sizeBytes < 0 || !FileType.known(inode.mode)) {
      throw image.corrupt(
          "inode %d: mode 0%o, size %s"
              .formatted(nid, inode.mode, Long.toUnsignedString(inode.sizeBytes)),
          offset);
    }
    if (inode.mtimeNanos < 0 || inode.mtimeNanos >= NANOS_PER_SECOND) {
      throw image.corrupt("inode %d: %d nanoseconds".formatted(nid, inode.mtimeNanos), offset);
    }
    return inode;
  }

  private static Inode compact(MemorySegment at, long nid, Superblock superblock, ImageBytes image)
      throws CorruptException {
    int mode = u16(at, 4);
    int word = at.get(LE_INT, 16);
    return new Inode(
        nid,
        mode,
        u16(at, 24),
        u16(at, 26),
        u32(at, 8),
        superblock.buildTimeSeconds(),
        superblock.buildTimeNanos(),
        u16(at, 6),
        rdev(mode, word),
        layout(u16(at, 0), nid, image),
        word,
        COMPACT_BYTES,
        XattrEntry.areaBytes(u16(at, 2)));
  }

  private static Inode extended(MemorySegment at, long nid, ImageBytes image)
      throws CorruptException {
    int mode = u16(at, 4);
    int word = at.get(LE_INT, 16);
    return new Inode(
        nid,
        mode,
        u32(at, 24),
        u32(at, 28),
        at.get(LE_LONG, 8),
        at.get(LE_LONG, 32),
        at.get(LE_INT, 40),
        u32(at, 44),
        rdev(mode, word),
        layout(u16(at, 0), nid, image),
        word,
        EXTENDED_BYTES,
        XattrEntry.areaBytes(u16(at, 2)));
  }

  /**
   * Writes it, extended, over zeros. {@code headerBytes} must say so.
   *
   * @param number the inode's {@code i_ino}, for 32-bit {@code stat}
   */
  void write(MemorySegment at, int number) {
    at.set(LE_SHORT, 0, (short) (EXTENDED | layout.code() << LAYOUT_SHIFT));
    at.set(LE_SHORT, 2, (short) XattrEntry.areaCount(xattrBytes));
    at.set(LE_SHORT, 4, (short) mode);
    at.set(LE_LONG, 8, sizeBytes);
    at.set(LE_INT, 16, layoutWord);
    at.set(LE_INT, 20, number);
    at.set(LE_INT, 24, (int) uid);
    at.set(LE_INT, 28, (int) gid);
    at.set(LE_LONG, 32, mtimeSeconds);
    at.set(LE_INT, 40, mtimeNanos);
    at.set(LE_INT, 44, (int) nlink);
  }

  private static DataLayout layout(int format, long nid, ImageBytes image) throws CorruptException {
    int code = (format >>> LAYOUT_SHIFT) & LAYOUT_MASK;
    if ((format & ~FORMAT_MASK) == 0) {
      for (DataLayout layout : DataLayout.values()) {
        if (layout.code() == code) {
          return layout;
        }
      }
    }
    throw image.corrupt(
        "inode %d: format 0x%x is not supported (%s)"
            .formatted(
                nid, format, code == 1 || code == 3 ? "compressed data" : "unknown data layout"),
        -1);
  }

  private static long rdev(int mode, int word) {
    return FileType.CHARACTER.of(mode) || FileType.BLOCK.of(mode)
        ? Integer.toUnsignedLong(word)
        : 0;
  }

  private static int u16(MemorySegment at, long offset) {
    return Short.toUnsignedInt(at.get(LE_SHORT, offset));
  }

  private static long u32(MemorySegment at, long offset) {
    return Integer.toUnsignedLong(at.get(LE_INT, offset));
  }
}

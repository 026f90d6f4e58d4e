package sluice.fuse;

/**
 * What stat(2) says of a node. Access and change times are the modification time: metadata images
 * keep no other.
 *
 * @param ino {@code st_ino}, 1 to 2³² - 1, so that 32-bit programs can hold it
 * @param mode type and permission bits
 * @param uid unsigned 32 bits
 * @param gid unsigned 32 bits
 * @param rdev major and minor as the kernel's {@code new_encode_dev} packs them; 0 unless a device
 */
public record NodeAttributes(
    long ino,
    int mode,
    long uid,
    long gid,
    long sizeBytes,
    long mtimeSeconds,
    int mtimeNanos,
    int nlink,
    long rdev) {

  // linux/stat.h
  private static final int S_IFMT = 0170000;
  private static final int S_IFDIR = 0040000;

  /** {@code st_blocks} counts units of this many bytes, whatever the block size (stat(2)). */
  private static final int STAT_BLOCK_BYTES = 512;

  public boolean isDirectory() {
    return (mode & S_IFMT) == S_IFDIR;
  }

  /** {@code st_blocks}. */
  public long blocks() {
    return (sizeBytes + STAT_BLOCK_BYTES - 1) / STAT_BLOCK_BYTES;
  }
}

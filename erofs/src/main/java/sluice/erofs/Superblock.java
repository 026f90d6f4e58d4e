package sluice.erofs;

import static sluice.erofs.ImageBytes.LE_INT;
import static sluice.erofs.ImageBytes.LE_LONG;
import static sluice.erofs.ImageBytes.LE_SHORT;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * The superblock ({@code struct erofs_super_block}), 128 bytes at byte 1024.
 *
 * <pre>
 *   0 u32 magic               36 u32 blocks            84 u16 lz4_max_distance
 *   4 u32 checksum            40 u32 meta_blkaddr      86 u16 extra_devices
 *   8 u32 feature_compat      44 u32 xattr_blkaddr     88 u16 devt_slotoff
 *  12 u8  blkszbits           48 u8[16] uuid           90 u8  dirblkbits
 *  13 u8  sb_extslots         64 u8[16] volume_name    91 u8  xattr_prefix_count
 *  14 u16 root_nid            80 u32 feature_incompat  92 u32 xattr_prefix_start
 *  16 u64 inos                                         96 u64 packed_nid
 *  24 u64 build_time         104 u8[24] reserved
 *  32 u32 build_time_nsec
 * </pre>
 *
 * @param checksum CRC32C of the rest of its block, see {@link #checksumOf}; 0 where the feature is
 *     not set
 * @param blockBits binary logarithm of the block size
 * @param inodeCount number of inodes
 * @param buildTimeSeconds also the time of compact inodes, which hold none
 * @param metaBlock the block that inode numbers count from
 * @param xattrBlock the block that numbers of shared xattrs count from
 * @param deviceSlotOffset where the device table begins, in units of 128 bytes
 * @param prefixStart where the long xattr name prefixes begin, in units of 4 bytes
 */
public record Superblock(
    long checksum,
    int featureCompat,
    int blockBits,
    int rootNid,
    long inodeCount,
    long buildTimeSeconds,
    int buildTimeNanos,
    long blocks,
    long metaBlock,
    long xattrBlock,
    int featureIncompat,
    int extraDevices,
    int deviceSlotOffset,
    int directoryBlockBits,
    int prefixCount,
    long prefixStart) {

  /** {@code EROFS_SUPER_OFFSET}. */
  public static final int OFFSET = 1024;

  public static final int BYTES = 128;

  /** {@code EROFS_SUPER_MAGIC_V1}. */
  public static final int MAGIC = 0xE0F5E1E2;

  /** {@code EROFS_FEATURE_COMPAT_SB_CHKSUM}. */
  public static final int COMPAT_CHECKSUM = 1;

  /** {@code EROFS_FEATURE_COMPAT_MTIME}: times are those of {@code st_mtime}. */
  static final int COMPAT_MTIME = 2;

  /** {@code LZ4_0PADDING}: says only how compressed inodes would be; mkfs.erofs always sets it. */
  static final int INCOMPAT_ZERO_PADDING = 1;

  static final int INCOMPAT_CHUNKED_FILE = 4;
  static final int INCOMPAT_DEVICE_TABLE = 8;
  static final int INCOMPAT_XATTR_PREFIXES = 0x40;

  private static final int CHECKSUM_AT = 4;

  int blockBytes() {
    return 1 << blockBits;
  }

  long metaOffset() {
    return metaBlock << blockBits;
  }

  static int magic(MemorySegment at) {
    return at.get(LE_INT, 0);
  }

  static Superblock read(MemorySegment at) {
    return new Superblock(
        u32(at, CHECKSUM_AT),
        at.get(LE_INT, 8),
        u8(at, 12),
        Short.toUnsignedInt(at.get(LE_SHORT, 14)),
        at.get(LE_LONG, 16),
        at.get(LE_LONG, 24),
        at.get(LE_INT, 32),
        u32(at, 36),
        u32(at, 40),
        u32(at, 44),
        at.get(LE_INT, 80),
        Short.toUnsignedInt(at.get(LE_SHORT, 86)),
        Short.toUnsignedInt(at.get(LE_SHORT, 88)),
        u8(at, 90),
        u8(at, 91),
        u32(at, 92));
  }

  /** Writes it over zeros. */
  void write(MemorySegment at) {
    at.set(LE_INT, 0, MAGIC);
    at.set(LE_INT, CHECKSUM_AT, (int) checksum);
    at.set(LE_INT, 8, featureCompat);
    at.set(ValueLayout.JAVA_BYTE, 12, (byte) blockBits);
    at.set(LE_SHORT, 14, (short) rootNid);
    at.set(LE_LONG, 16, inodeCount);
    at.set(LE_LONG, 24, buildTimeSeconds);
    at.set(LE_INT, 32, buildTimeNanos);
    at.set(LE_INT, 36, (int) blocks);
    at.set(LE_INT, 40, (int) metaBlock);
    at.set(LE_INT, 44, (int) xattrBlock);
    at.set(LE_INT, 80, featureIncompat);
    at.set(LE_SHORT, 86, (short) extraDevices);
    at.set(LE_SHORT, 88, (short) deviceSlotOffset);
    at.set(ValueLayout.JAVA_BYTE, 90, (byte) directoryBlockBits);
    at.set(ValueLayout.JAVA_BYTE, 91, (byte) prefixCount);
    at.set(LE_INT, 92, (int) prefixStart);
  }

  /** Puts a checksum into a superblock that is written already. */
  static void writeChecksum(MemorySegment at, long checksum) {
    at.set(LE_INT, CHECKSUM_AT, (int) checksum);
  }

  /** How many bytes the checksum covers: from the superblock to the end of its block. */
  static int checksummedBytes(int blockBits) {
    int block = 1 << blockBits;
    return block > OFFSET ? block - OFFSET : block;
  }

  /**
   * CRC32C over these bytes, which begin with the superblock, its checksum taken as 0. The kernel
   * does not invert the result at the end ({@code erofs_superblock_csum_verify}).
   */
  static long checksumOf(ByteBuffer bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes.slice(0, CHECKSUM_AT));
    crc.update(new byte[Integer.BYTES], 0, Integer.BYTES);
    int rest = CHECKSUM_AT + Integer.BYTES;
    crc.update(bytes.slice(rest, bytes.remaining() - rest));
    return ~crc.getValue() & 0xffff_ffffL;
  }

  private static int u8(MemorySegment at, long offset) {
    return Byte.toUnsignedInt(at.get(ValueLayout.JAVA_BYTE, offset));
  }

  private static long u32(MemorySegment at, long offset) {
    return Integer.toUnsignedLong(at.get(LE_INT, offset));
  }
}

package sluice.formats.rafs;

import static sluice.formats.rafs.Layout.LE_INT;
import static sluice.formats.rafs.Layout.LE_LONG;
import static sluice.formats.rafs.Layout.LE_SHORT;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import sluice.core.CorruptException;
import sluice.core.Digest;

/**
 * What RAFS adds to the superblock of EROFS: {@code RafsV6SuperBlock} at 1024 and {@code
 * RafsV6SuperBlockExt} behind it.
 *
 * <pre>
 * 1024  u32 magic, u32 checksum, u32 feature_compat, u8 blkszbits, u8, u16 root_nid, ...
 * 1110  u16 extra_devices, u16 devt_slotoff
 * 1152  u64 flags
 *    8  u64 blob_table_offset, u32 blob_table_size, u32 chunk_size
 *   24  u64 chunk_table_offset, u64 chunk_table_size
 *   40  u64 prefetch_table_offset, u32 prefetch_table_size
 *   52  reserved up to 256
 * </pre>
 *
 * @param digester what chunk digests are made with
 * @param chunkBytes length of all chunks of a file but its last
 */
record RafsSuperblock(
    int devices,
    long flags,
    Digest.Algorithm digester,
    int chunkBytes,
    long blobTableOffset,
    long blobTableBytes,
    long chunkTableOffset,
    long chunkTableBytes,
    long prefetchTableOffset,
    long prefetchTableBytes) {

  static final int OFFSET = 1024;
  static final int EXTENSION_OFFSET = OFFSET + 128;
  static final int EXTENSION_BYTES = 256;

  static final int MAGIC = 0xe0f5e1e2;

  /** {@code RAFS_SUPER_MAGIC} of RAFS v5, at offset 0. */
  static final int MAGIC_V5 = 0x52414653;

  /** {@code EROFS_FEATURE_COMPAT_RAFS_V6}. */
  static final int FEATURE_COMPAT_RAFS_V6 = 0x4000_0000;

  /** {@code CHUNKED_FILE | DEVICE_TABLE}; no others are in RAFS. */
  static final int FEATURE_INCOMPAT = 0xc;

  static final int BLOCK_BITS = 12;

  /** Device slots begin behind the extension, in units of 128 bytes. */
  static final int DEVICE_SLOT_OFFSET = 11;

  static final long FLAG_COMPRESSION_ZSTD = 0x80;
  static final long FLAG_HASH_BLAKE3 = 4;
  static final long FLAG_HASH_SHA256 = 8;
  static final long FLAG_EXPLICIT_UID_GID = 0x10;
  static final long FLAG_HAS_XATTR = 0x20;
  static final long FLAG_INLINED_CHUNK_DIGEST = 0x100;
  static final long FLAG_TARFS = 0x200;
  static final long FLAG_ENCRYPTION_NONE = 0x0100_0000;
  static final long FLAG_ENCRYPTION_AES128XTS = 0x0200_0000;

  /** {@code RAFS_MAX_CHUNK_SIZE}. */
  static final int MAX_CHUNK_BYTES = 16 << 20;

  /**
   * Reads both structures of a whole bootstrap.
   *
   * @throws CorruptException if they break the format
   * @throws RefusedException if it is RAFS of a kind that we do not serve
   */
  static RafsSuperblock read(MemorySegment image, String resource)
      throws CorruptException, RefusedException {
    Layout.require(image, 0, EXTENSION_OFFSET + EXTENSION_BYTES, "superblock", resource);
    int magic = image.get(LE_INT, OFFSET);
    if (magic != MAGIC && image.get(LE_INT, 0) == MAGIC_V5) {
      throw new RefusedException(
          "%s is RAFS v5, which has another layout than v6; convert the image's source anew with `sluice convert`"
              .formatted(resource));
    }
    int compat = image.get(LE_INT, OFFSET + 8);
    if (magic != MAGIC || (compat & FEATURE_COMPAT_RAFS_V6) == 0) {
      throw new CorruptException(
          "superblock: magic 0x%08x, compatible features 0x%x; expected 0x%08x with 0x%x"
              .formatted(magic, compat, MAGIC, FEATURE_COMPAT_RAFS_V6),
          resource,
          OFFSET);
    }
    long flags = image.get(LE_LONG, EXTENSION_OFFSET);
    if ((flags & FLAG_ENCRYPTION_AES128XTS) != 0) {
      throw new RefusedException(
          resource + " refers to encrypted blobs, and Sluice has no way to get their keys");
    }
    int blockBits = image.get(ValueLayout.JAVA_BYTE, OFFSET + 12);
    if ((flags & FLAG_TARFS) != 0 || blockBits != BLOCK_BITS) {
      throw new RefusedException(
          "%s is a tarfs bootstrap with blocks of 2^%d bytes; its chunks have no digests"
              .formatted(resource, blockBits));
    }
    int chunkBytes = image.get(LE_INT, EXTENSION_OFFSET + 20);
    if (Integer.bitCount(chunkBytes) != 1
        || chunkBytes < Layout.BLOCK_BYTES
        || chunkBytes > MAX_CHUNK_BYTES) {
      throw new CorruptException(
          "extended superblock: chunk size %s, expected a power of 2 from 4096 to %d"
              .formatted(Integer.toUnsignedString(chunkBytes), MAX_CHUNK_BYTES),
          resource,
          EXTENSION_OFFSET + 20);
    }
    return new RafsSuperblock(
        Short.toUnsignedInt(image.get(LE_SHORT, OFFSET + 86)),
        flags,
        digester(flags, resource),
        chunkBytes,
        image.get(LE_LONG, EXTENSION_OFFSET + 8),
        Integer.toUnsignedLong(image.get(LE_INT, EXTENSION_OFFSET + 16)),
        image.get(LE_LONG, EXTENSION_OFFSET + 24),
        image.get(LE_LONG, EXTENSION_OFFSET + 32),
        image.get(LE_LONG, EXTENSION_OFFSET + 40),
        Integer.toUnsignedLong(image.get(LE_INT, EXTENSION_OFFSET + 48)));
  }

  private static Digest.Algorithm digester(long flags, String resource) throws CorruptException {
    boolean blake3 = (flags & FLAG_HASH_BLAKE3) != 0;
    boolean sha256 = (flags & FLAG_HASH_SHA256) != 0;
    if (blake3 == sha256) {
      throw new CorruptException(
          "extended superblock: flags 0x%x name %s digest algorithm"
              .formatted(flags, blake3 ? "more than one" : "no"),
          resource,
          EXTENSION_OFFSET);
    }
    return blake3 ? Digest.Algorithm.BLAKE3 : Digest.Algorithm.SHA256;
  }

  /**
   * Writes the EROFS superblock.
   *
   * @param names how many names there are, which is what nydus counts as inodes
   * @param blocks length of all devices
   * @param metaOffset where inode numbers begin
   */
  void writeBase(MemorySegment image, long rootNid, long names, long blocks, long metaOffset) {
    image.set(LE_INT, OFFSET, MAGIC);
    image.set(LE_INT, OFFSET + 8, FEATURE_COMPAT_RAFS_V6);
    image.set(ValueLayout.JAVA_BYTE, OFFSET + 12, (byte) BLOCK_BITS);
    image.set(LE_SHORT, OFFSET + 14, (short) rootNid);
    image.set(LE_LONG, OFFSET + 16, names);
    image.set(LE_INT, OFFSET + 36, (int) blocks);
    image.set(LE_INT, OFFSET + 40, (int) (metaOffset / Layout.BLOCK_BYTES));
    image.set(LE_INT, OFFSET + 80, FEATURE_INCOMPAT);
    image.set(LE_SHORT, OFFSET + 86, (short) devices);
    image.set(LE_SHORT, OFFSET + 88, (short) DEVICE_SLOT_OFFSET);
  }

  /** Writes the extension. */
  void writeExtension(MemorySegment image) {
    image.set(LE_LONG, EXTENSION_OFFSET, flags);
    image.set(LE_LONG, EXTENSION_OFFSET + 8, blobTableOffset);
    image.set(LE_INT, EXTENSION_OFFSET + 16, (int) blobTableBytes);
    image.set(LE_INT, EXTENSION_OFFSET + 20, chunkBytes);
    image.set(LE_LONG, EXTENSION_OFFSET + 24, chunkTableOffset);
    image.set(LE_LONG, EXTENSION_OFFSET + 32, chunkTableBytes);
    image.set(LE_LONG, EXTENSION_OFFSET + 40, prefetchTableOffset);
    image.set(LE_INT, EXTENSION_OFFSET + 48, (int) prefetchTableBytes);
  }
}

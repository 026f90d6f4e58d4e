package sluice.erofs;

import sluice.core.CorruptException;

/**
 * The array of chunk indexes behind an inode, as it is on disk: no masking, no interpretation.
 *
 * <p>Two forms ({@code EROFS_CHUNK_FORMAT_INDEXES} or not): {@code struct erofs_inode_chunk_index},
 * 8 bytes, aligned to 8 (u16 {@code startblk_hi}, u16 {@code device_id}, u32 {@code startblk_lo});
 * or a block number of 4 bytes, aligned to 4. {@code device_id} 0 is the image itself, {@code n} is
 * device slot {@code n - 1}; a start block of all ones is a hole.
 *
 * <p>Valid while its image is open; safe for use by many threads.
 */
public final class ChunkIndexes {

  /** {@code EROFS_NULL_ADDR}: a hole. */
  public static final long HOLE = 0xffff_ffffL;

  /** {@code EROFS_CHUNK_FORMAT_BLKBITS_MASK}. */
  static final int FORMAT_BITS_MASK = 0x1f;

  /** {@code EROFS_CHUNK_FORMAT_INDEXES}. */
  static final int FORMAT_INDEXES = 0x20;

  static final int INDEX_BYTES = 8;

  private static final String STRUCTURE = "chunk index";
  private static final int BLOCK_MAP_BYTES = 4;

  private final ImageBytes image;
  private final long offset;
  private final int unit;
  private final long count;

  private ChunkIndexes(ImageBytes image, long offset, int unit, long count) {
    this.image = image;
    this.offset = offset;
    this.unit = unit;
    this.count = count;
  }

  static ChunkIndexes of(ImageBytes image, Superblock superblock, Inode inode, int chunkBits)
      throws CorruptException {
    int format = inode.layoutWord() & 0xffff;
    if ((format & ~(FORMAT_BITS_MASK | FORMAT_INDEXES)) != 0) {
      throw image.corrupt(
          "inode %d: chunk format 0x%x is not supported".formatted(inode.nid(), format),
          inode.offset(superblock));
    }
    int unit = (format & FORMAT_INDEXES) != 0 ? INDEX_BYTES : BLOCK_MAP_BYTES;
    long offset = (inode.bodyOffset(superblock) + unit - 1) & -unit;
    long count = inode.sizeBytes() == 0 ? 0 : ((inode.sizeBytes() - 1) >>> chunkBits) + 1;
    if (count > image.length() / unit) {
      throw image.corrupt(
          "inode %d: %d chunks in an image of %d bytes"
              .formatted(inode.nid(), count, image.length()),
          offset);
    }
    image.require("chunk indexes", offset, count * unit);
    return new ChunkIndexes(image, offset, unit, count);
  }

  /** How many there are, as many as the size of the file asks for. */
  public long count() {
    return count;
  }

  /** {@code startblk_hi}, unsigned; RAFS keeps bits 15:0 of a chunk's number here. */
  public int startBlockHigh(long index) throws CorruptException {
    return unit == INDEX_BYTES ? image.u16(STRUCTURE, at(index)) : 0;
  }

  /** {@code device_id}, unsigned, not masked; RAFS keeps bits 23:16 of a chunk's number above. */
  public int deviceId(long index) throws CorruptException {
    return unit == INDEX_BYTES ? image.u16(STRUCTURE, at(index) + 2) : 0;
  }

  /** {@code startblk_lo}, in blocks of the image's block size; {@link #HOLE} if there is none. */
  public long startBlock(long index) throws CorruptException {
    return image.u32(STRUCTURE, at(index) + unit - Integer.BYTES);
  }

  private long at(long index) {
    if (index < 0 || index >= count) {
      throw new IllegalArgumentException("chunk " + index + " of " + count);
    }
    return offset + index * unit;
  }
}

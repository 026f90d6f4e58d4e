package sluice.erofs;

import java.util.ArrayList;
import java.util.List;
import sluice.core.CorruptException;

/** Reads a superblock and refuses, by name, images that this library cannot read right. */
final class SuperblockReader {

  /** 512 bytes, as the tarfs images of nydus. */
  private static final int MIN_BLOCK_BITS = 9;

  /** 64 KiB: offsets of names within a block have 16 bits. */
  private static final int MAX_BLOCK_BITS = 16;

  private static final int READABLE =
      Superblock.INCOMPAT_ZERO_PADDING
          | Superblock.INCOMPAT_CHUNKED_FILE
          | Superblock.INCOMPAT_DEVICE_TABLE
          | Superblock.INCOMPAT_XATTR_PREFIXES;

  private SuperblockReader() {}

  static Superblock read(ImageBytes image) throws CorruptException {
    var at = image.slice("superblock", Superblock.OFFSET, Superblock.BYTES);
    if (Superblock.magic(at) != Superblock.MAGIC) {
      throw image.corrupt(
          "superblock: magic 0x%08x, expected 0x%08x"
              .formatted(Superblock.magic(at), Superblock.MAGIC),
          Superblock.OFFSET);
    }
    Superblock superblock = Superblock.read(at);
    refuse(image, superblock);
    if ((superblock.featureCompat() & Superblock.COMPAT_CHECKSUM) != 0) {
      int length = Superblock.checksummedBytes(superblock.blockBits());
      long found = Superblock.checksumOf(image.buffer("first block", Superblock.OFFSET, length));
      if (found != superblock.checksum()) {
        throw image.corrupt(
            "superblock: checksum 0x%08x, expected 0x%08x".formatted(found, superblock.checksum()),
            Superblock.OFFSET);
      }
    }
    return superblock;
  }

  private static void refuse(ImageBytes image, Superblock superblock) throws CorruptException {
    if (superblock.blockBits() < MIN_BLOCK_BITS || superblock.blockBits() > MAX_BLOCK_BITS) {
      throw image.corrupt(
          "superblock: blocks of 2^%d bytes, readable are 2^%d to 2^%d"
              .formatted(superblock.blockBits(), MIN_BLOCK_BITS, MAX_BLOCK_BITS),
          Superblock.OFFSET + 12);
    }
    int unknown = superblock.featureIncompat() & ~READABLE;
    if (unknown != 0) {
      throw image.corrupt(
          "superblock: incompatible features 0x%x are not supported (%s); rebuild without them"
              .formatted(unknown, String.join(", ", names(unknown))),
          Superblock.OFFSET + 80);
    }
    if (superblock.directoryBlockBits() != 0) {
      throw image.corrupt(
          "superblock: directory blocks of another size are not supported", Superblock.OFFSET + 90);
    }
  }

  /** {@code EROFS_FEATURE_INCOMPAT_*}; some bits have two names. */
  private static List<String> names(int features) {
    List<String> names = new ArrayList<>();
    for (int bit = 1; bit != 0; bit <<= 1) {
      if ((features & bit) != 0) {
        names.add(
            switch (bit) {
              case 0x2 -> "COMPR_CFGS or BIG_PCLUSTER: compressed files";
              case 0x10 -> "ZTAILPACKING: compressed files";
              case 0x20 -> "FRAGMENTS or DEDUPE: compressed files";
              case 0x80 -> "48BIT: 48-bit block addresses";
              case 0x100 -> "METABOX: compressed metadata";
              default -> "unknown feature 0x%x".formatted(bit);
            });
      }
    }
    return names;
  }
}

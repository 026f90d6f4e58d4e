package sluice.formats.tar;

/** Bounds on what a layer may ask of memory and of later readers. */
final class TarLimits {

  /** The block that tar counts in. */
  static final int BLOCK_BYTES = 512;

  /** PAX records and GNU long names; Go's reader refuses more, and so does containerd. */
  static final int MAX_SPECIAL_BYTES = 1024 * 1024;

  /** {@code PATH_MAX} without its NUL: no longer path or link target can be made or opened. */
  static final int MAX_PATH_BYTES = 4095;

  /** {@code NAME_MAX}. */
  static final int MAX_NAME_BYTES = 255;

  /** {@code XATTR_NAME_MAX}. */
  static final int MAX_XATTR_NAME_BYTES = 255;

  /** What an EROFS xattr entry can hold ({@code e_value_size}); Linux allows one byte more. */
  static final int MAX_XATTR_VALUE_BYTES = 65_535;

  /** The largest file of ext4 with blocks of 4 KiB; a sparse file may claim any size. */
  static final long MAX_FILE_BYTES = 16L << 40;

  /** A map of 16 MiB in old GNU headers. */
  static final int MAX_SPARSE_ENTRIES = 1 << 20;

  /** The tree is built on the heap; the largest images known have some 500,000 entries. */
  static final int MAX_ENTRIES = 2_000_000;

  /** Names, targets and xattrs of one layer, on the heap; the largest images known have 50 MiB. */
  static final long MAX_METADATA_BYTES = 128L * 1024 * 1024;

  private TarLimits() {}
}

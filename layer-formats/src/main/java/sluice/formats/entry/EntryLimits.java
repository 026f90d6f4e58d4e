package sluice.formats.entry;

/** Bounds on what the entries of one layer may ask of memory and of later readers. */
public final class EntryLimits {

  /** {@code PATH_MAX} without its NUL: no longer path or link target can be made or opened. */
  public static final int MAX_PATH_BYTES = 4095;

  /** {@code NAME_MAX}. */
  public static final int MAX_NAME_BYTES = 255;

  /** {@code XATTR_NAME_MAX}. */
  public static final int MAX_XATTR_NAME_BYTES = 255;

  /** What an EROFS xattr entry can hold ({@code e_value_size}); Linux allows one byte more. */
  public static final int MAX_XATTR_VALUE_BYTES = 65_535;

  /** The largest file of ext4 with blocks of 4 KiB; a sparse file may claim any size. */
  public static final long MAX_FILE_BYTES = 16L << 40;

  /**
   * The largest images known have some 500,000 entries. What they may take of the heap is for the
   * {@link sluice.erofs.TreeRoom} to say; this bounds the time of those that take nothing.
   */
  public static final int MAX_ENTRIES = 2_000_000;

  /**
   * Names and values of the xattrs of one entry, and {@link #XATTR_RECORD_BYTES} for each: no layer
   * can say more, as Go's reader of tars, and so containerd, refuses larger PAX headers.
   */
  public static final int MAX_XATTRS_BYTES = 1 << 20;

  /** What a PAX header has around name and value of an xattr: {@code 9 SCHILY.xattr.=\n}. */
  public static final int XATTR_RECORD_BYTES = 18;

  private EntryLimits() {}
}

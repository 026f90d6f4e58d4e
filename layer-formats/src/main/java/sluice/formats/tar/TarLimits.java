package sluice.formats.tar;

/** Bounds on what a tar stream may ask of memory, besides those on its entries. */
final class TarLimits {

  /** The block that tar counts in. */
  static final int BLOCK_BYTES = 512;

  /** PAX records and GNU long names; Go's reader refuses more, and so does containerd. */
  static final int MAX_SPECIAL_BYTES = 1024 * 1024;

  /** A map of 16 MiB in old GNU headers. */
  static final int MAX_SPARSE_ENTRIES = 1 << 20;

  private TarLimits() {}
}

package sluice.formats.toc;

/** Bounds on what a TOC may ask of memory, of time, and of whoever reads its chunks. */
final class TocLimits {

  /**
   * A TOC as JSON. A million files are 360 MB as eStargz writes them, indented. It is decoded as a
   * stream, so this bounds time alone: some seconds.
   */
  static final long MAX_TOC_BYTES = 512L << 20;

  /** A TOC as it is fetched. Digests do not compress: a million files are 70 MB. */
  static final long MAX_ENCODED_BYTES = 256L << 20;

  /** A request asks for no more of a TOC; only those of more than 100,000 files take a second. */
  static final int PIECE_BYTES = 8 << 20;

  /**
   * How many bytes of a TOC are fetched to find out its digest and kept until it is parsed; a
   * larger one is fetched again.
   */
  static final int MAX_KEPT_BYTES = 1 << 20;

  /** Pieces of files: 256 GiB in those of 64 KiB that podman makes on average. 48 bytes each. */
  static final int MAX_PAYLOADS = 1 << 22;

  /**
   * The most that a chunk is long, encoded or decoded: it is held in memory when it is read. Chunks
   * are 4 MiB as eStargz makes them, and podman's reach a megabyte.
   */
  static final long MAX_CHUNK_BYTES = 128L << 20;

  /** The largest device: an EROFS image counts 2<sup>32</sup> blocks of 4 KiB in one. */
  static final long MAX_DEVICE_BYTES = 1L << 44;

  /** The base64 form of the largest xattr has 87,380 characters. */
  static final int MAX_STRING_CHARS = 128 << 10;

  /** Names of fields; the longest known one is that of an xattr. */
  static final int MAX_FIELD_NAME_CHARS = 1024;

  /** Digits of a number: more than 2<sup>64</sup> has. */
  static final int MAX_NUMBER_CHARS = 32;

  /** Real TOCs have four levels. */
  static final int MAX_JSON_DEPTH = 16;

  private TocLimits() {}
}

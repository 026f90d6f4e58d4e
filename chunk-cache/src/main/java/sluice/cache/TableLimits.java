package sluice.cache;

/** What a chunk table may hold: an index comes from outside, and what it says costs memory here. */
final class TableLimits {

  private TableLimits() {}

  /** Sixteen million: a terabyte in the smallest chunks that the builders of formats make. */
  static final int MAX_CHUNKS = 1 << 24;

  /** Files of a layer that is one chunk have a placement each. */
  static final int MAX_PLACEMENTS = 1 << 25;

  /** The largest file of ext4 with blocks of 4 KiB. */
  static final long MAX_DEVICE_BYTES = 1L << 44;

  /**
   * The most that a chunk is long, encoded or decoded, unless it streams: both are held in memory.
   * Chunks of RAFS have at most 16 MiB, spans of SOCI 4 MiB by default.
   */
  static final long MAX_CHUNK_BYTES = 128L << 20;

  /** What is stated of a chunk, which is mapped as one buffer: tar headers take a tenth of it. */
  static final long MAX_STATEMENT_BYTES = MAX_CHUNK_BYTES;

  /**
   * How many placements of other chunks may lie between those of one. Batches interleave with their
   * neighbours; a chunk strewn over a device would make each lookup of it a walk over the table.
   */
  static final int MAX_INTERLEAVED = 1 << 16;
}

package sluice.formats.soci;

import java.lang.foreign.MemorySegment;
import sluice.core.ByteRange;

/** What a zTOC states of the tar headers in each span. Immutable. */
final class SpanStatements {

  /** Nothing is stated. */
  static final SpanStatements NONE = new SpanStatements(MemorySegment.NULL, new long[0]);

  private static final ByteRange NOTHING = new ByteRange(0, 0);

  private final MemorySegment bytes;
  private final long[] ends;

  /**
   * @param bytes the statements, one behind the other
   * @param ends where that of each span ends; those of spans that are missing are empty; kept
   */
  SpanStatements(MemorySegment bytes, long[] ends) {
    this.bytes = bytes;
    this.ends = ends;
  }

  MemorySegment bytes() {
    return bytes;
  }

  /** Where the statement of a span lies in all bytes; empty if there is none. */
  ByteRange of(int span) {
    if (span >= ends.length) {
      return NOTHING;
    }
    long from = span == 0 ? 0 : ends[span - 1];
    return from == ends[span] ? NOTHING : new ByteRange(from, ends[span] - from);
  }
}

package sluice.formats.soci;

import sluice.core.ByteRange;
import sluice.core.ChunkEncoding;

/**
 * How a blob is cut into spans, each of which can be fetched, verified and decoded by itself. Spans
 * lie one behind the other in the tar stream and leave nothing out. Immutable.
 */
sealed interface Spans permits FrameSpans, GzipSpans, PlainSpans {

  /**
   * The most that a span may be long, encoded or decoded: what the chunk cache takes, which holds a
   * chunk in memory while it is verified. Tools make spans of 4 MiB; they get longer where a
   * deflate block does, or where a tool saw no end of block, as behind a gzip member's end.
   */
  long MAX_SPAN_BYTES = 128L << 20;

  /** 256 GiB in spans of 4 MiB. */
  int MAX_SPANS = 1 << 16;

  int count();

  /** What of the blob the span's digest covers; neighbours may share a byte. */
  ByteRange encoded(int span);

  /** What of the tar stream the span decodes to; empty behind the end of what is listed. */
  ByteRange decoded(int span);

  /** How; windows lie in the zTOC's checkpoints. */
  ChunkEncoding encoding(int span);
}

package sluice.formats.soci;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import sluice.core.ByteRange;
import sluice.core.ChunkEncoding;
import sluice.core.CorruptException;

/**
 * Spans of a blob of zstd frames: each a frame or more. SOCI knows no zstd; this form is our own,
 * and no other tool reads it.
 *
 * <pre>
 *  0  count   i32, number of spans
 *  4  edge × (count + 1): where spans begin, and where the last one ends
 *       0  in   i64, in the blob
 *       8  out  i64, in the tar stream
 * </pre>
 */
final class FrameSpans implements Spans {

  private static final int HEADER_BYTES = 4;
  private static final int EDGE_BYTES = 16;

  private final MemorySegment table;
  private final int count;
  private final long tarBytes;

  private FrameSpans(MemorySegment table, int count, long tarBytes) {
    this.table = table;
    this.count = count;
    this.tarBytes = tarBytes;
  }

  /** The table as {@link #read} takes it; edges are pairs of offsets in blob and tar stream. */
  static MemorySegment write(long[] blobOffsets, long[] tarOffsets, int edges) {
    ByteBuffer table =
        ByteBuffer.allocate(HEADER_BYTES + edges * EDGE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    table.putInt(edges - 1);
    for (int edge = 0; edge < edges; edge++) {
      table.putLong(blobOffsets[edge]).putLong(tarOffsets[edge]);
    }
    return MemorySegment.ofArray(table.array());
  }

  /**
   * Reads a table and checks all of it.
   *
   * @param tarBytes length of the tar stream up to its end mark; frames may hold more
   * @throws CorruptException if spans are out of order, out of bounds, or too long
   */
  static FrameSpans read(MemorySegment table, long blobBytes, long tarBytes, String resource)
      throws CorruptException {
    int count = table.byteSize() < HEADER_BYTES ? 0 : table.get(GzipSpans.LE_INT, 0);
    if (count < 1
        || count > MAX_SPANS
        || table.byteSize() != HEADER_BYTES + (count + 1L) * EDGE_BYTES) {
      throw corrupt(
          "%d of them in %d bytes, 1 to %d expected".formatted(count, table.byteSize(), MAX_SPANS),
          0,
          resource);
    }
    FrameSpans spans = new FrameSpans(table, count, tarBytes);
    if (spans.in(0) != 0 || spans.out(0) != 0 || spans.in(count) > blobBytes) {
      throw corrupt(
          "from %d to %d of a blob of %d bytes".formatted(spans.in(0), spans.in(count), blobBytes),
          HEADER_BYTES,
          resource);
    }
    for (int span = 0; span < count; span++) {
      long encoded = spans.in(span + 1) - spans.in(span);
      long decoded = spans.out(span + 1) - spans.out(span);
      if (encoded < 1 || encoded > MAX_SPAN_BYTES || decoded < 1 || decoded > MAX_SPAN_BYTES) {
        throw corrupt(
            "%d of %d: a span of %d bytes that decodes to %d, 1 to %d expected"
                .formatted(span, count, encoded, decoded, MAX_SPAN_BYTES),
            HEADER_BYTES + span * (long) EDGE_BYTES,
            resource);
      }
    }
    if (spans.out(count) < tarBytes) {
      throw corrupt(
          "they decode to %d bytes, of a tar of %d".formatted(spans.out(count), tarBytes),
          HEADER_BYTES + count * (long) EDGE_BYTES,
          resource);
    }
    return spans;
  }

  @Override
  public int count() {
    return count;
  }

  @Override
  public ByteRange encoded(int span) {
    return new ByteRange(in(span), in(span + 1) - in(span));
  }

  @Override
  public ByteRange decoded(int span) {
    long from = Math.min(out(span), tarBytes);
    return new ByteRange(from, Math.min(out(span + 1), tarBytes) - from);
  }

  @Override
  public ChunkEncoding encoding(int span) {
    return new ChunkEncoding.ZstdFrame();
  }

  private long in(int edge) {
    return table.get(GzipSpans.LE_LONG, HEADER_BYTES + edge * (long) EDGE_BYTES);
  }

  private long out(int edge) {
    return table.get(GzipSpans.LE_LONG, HEADER_BYTES + edge * (long) EDGE_BYTES + Long.BYTES);
  }

  private static CorruptException corrupt(String problem, long offset, String resource) {
    return new CorruptException("frames: " + problem, resource, offset);
  }
}

package sluice.formats.soci;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import sluice.core.ByteRange;
import sluice.core.ChunkEncoding;
import sluice.core.ChunkEncoding.DeflateSpan;
import sluice.core.CorruptException;

/**
 * Spans of a gzip blob: the checkpoints that SOCI keeps ({@code struct gzip_zinfo}).
 *
 * <pre>
 *  0  have       i32, number of checkpoints
 *  4  span size  i64
 * 12  checkpoint × have
 *       0  in      i64, first whole byte in the blob
 *       8  out     i64, offset in the tar stream
 *      16  bits    u8, how many high bits of the byte before {@code in} belong to it
 *      17  window  32768, what came before {@code out}, the oldest byte first
 * </pre>
 *
 * <p>Old tools leave the first checkpoint out: it is then the one behind a gzip header without a
 * name. Which form it is, only the length says.
 */
final class GzipSpans implements Spans {

  static final int WINDOW_BYTES = ChunkEncoding.DeflateCheckpoint.MAX_WINDOW_BYTES;
  static final int HEADER_BYTES = 12;
  static final int CHECKPOINT_BYTES = 17 + WINDOW_BYTES;

  /** A gzip header with none of its optional parts. */
  private static final int IMPLIED_IN = 10;

  static final ValueLayout.OfInt LE_INT = JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfLong LE_LONG = JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final MemorySegment zinfo;
  private final int count;
  private final boolean firstImplied;
  private final long blobBytes;
  private final long tarBytes;

  private GzipSpans(
      MemorySegment zinfo, int count, boolean firstImplied, long blobBytes, long tarBytes) {
    this.zinfo = zinfo;
    this.count = count;
    this.firstImplied = firstImplied;
    this.blobBytes = blobBytes;
    this.tarBytes = tarBytes;
  }

  /**
   * Reads checkpoints and checks all of them.
   *
   * @param zinfo the zTOC's checkpoints; kept
   * @param tarBytes length of the tar stream; more may follow in the blob
   * @throws CorruptException if they are out of order, out of bounds, or too far apart
   */
  static GzipSpans read(MemorySegment zinfo, long blobBytes, long tarBytes, String resource)
      throws CorruptException {
    long length = zinfo.byteSize();
    if (length < HEADER_BYTES) {
      throw corrupt("%d bytes, at least %d expected".formatted(length, HEADER_BYTES), 0, resource);
    }
    int have = zinfo.get(LE_INT, 0);
    if (have < 1 || have > MAX_SPANS) {
      throw corrupt("%d of them, 1 to %d expected".formatted(have, MAX_SPANS), 0, resource);
    }
    long whole = HEADER_BYTES + (long) have * CHECKPOINT_BYTES;
    if (length != whole && length != whole - CHECKPOINT_BYTES) {
      throw corrupt(
          "%d of them in %d bytes, %d expected, or %d less"
              .formatted(have, length, whole, CHECKPOINT_BYTES),
          0,
          resource);
    }
    GzipSpans spans = new GzipSpans(zinfo, have, length != whole, blobBytes, tarBytes);
    spans.check(resource);
    return spans;
  }

  private void check(String resource) throws CorruptException {
    for (int span = 0; span < count; span++) {
      boolean first = span == 0;
      // The C tool makes a checkpoint behind each of several empty blocks at the beginning.
      boolean starts = first ? out(0) == 0 : out(span) >= out(span - 1) && in(span) > in(span - 1);
      if (!starts
          || bits(span) > 7
          || in(span) < (bits(span) == 0 ? 0 : 1)
          || in(span) >= blobBytes) {
        throw corrupt(
            "%d of %d: in %d, out %d, bits %d; before it in %d, out %d; a blob of %d bytes"
                .formatted(
                    span,
                    count,
                    in(span),
                    out(span),
                    bits(span),
                    first ? 0 : in(span - 1),
                    first ? 0 : out(span - 1),
                    blobBytes),
            at(span),
            resource);
      }
    }
    for (int span = 0; span < count; span++) {
      long encoded = end(span) - start(span);
      long decoded = decodedEnd(span) - decodedStart(span);
      if (encoded > MAX_SPAN_BYTES || decoded > MAX_SPAN_BYTES) {
        throw corrupt(
            "%d of %d: a span of %d bytes that decodes to %d, at most %d"
                .formatted(span, count, encoded, decoded, MAX_SPAN_BYTES),
            at(span),
            resource);
      }
    }
  }

  @Override
  public int count() {
    return count;
  }

  @Override
  public ByteRange encoded(int span) {
    return new ByteRange(start(span), end(span) - start(span));
  }

  @Override
  public ByteRange decoded(int span) {
    return new ByteRange(decodedStart(span), decodedEnd(span) - decodedStart(span));
  }

  @Override
  public ChunkEncoding encoding(int span) {
    return new DeflateSpan(bits(span), window(span));
  }

  /** Where nothing came before, there is no window; what stands there then is zeros. */
  private ByteRange window(int span) {
    return out(span) == 0
        ? new ByteRange(0, 0)
        : new ByteRange(at(span) + CHECKPOINT_BYTES - WINDOW_BYTES, WINDOW_BYTES);
  }

  private long start(int span) {
    return bits(span) == 0 ? in(span) : in(span) - 1;
  }

  private long end(int span) {
    return span + 1 < count ? in(span + 1) : blobBytes;
  }

  /** Tools list a tar up to its end mark, and make checkpoints in whatever pads it, too. */
  private long decodedStart(int span) {
    return Math.min(out(span), tarBytes);
  }

  private long decodedEnd(int span) {
    return span + 1 < count ? decodedStart(span + 1) : tarBytes;
  }

  private long in(int span) {
    return implied(span) ? IMPLIED_IN : zinfo.get(LE_LONG, at(span));
  }

  private long out(int span) {
    return implied(span) ? 0 : zinfo.get(LE_LONG, at(span) + 8);
  }

  private int bits(int span) {
    return implied(span) ? 0 : zinfo.get(JAVA_BYTE, at(span) + 16) & 0xff;
  }

  private boolean implied(int span) {
    return firstImplied && span == 0;
  }

  /** Where the checkpoint stands; of an implied one, where it would. */
  private long at(int span) {
    int stored = firstImplied ? Math.max(span - 1, 0) : span;
    return HEADER_BYTES + (long) stored * CHECKPOINT_BYTES;
  }

  private static CorruptException corrupt(String problem, long offset, String resource) {
    return new CorruptException("checkpoints: " + problem, resource, offset);
  }
}

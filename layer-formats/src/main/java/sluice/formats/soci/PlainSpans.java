package sluice.formats.soci;

import java.lang.foreign.MemorySegment;
import sluice.core.ByteRange;
import sluice.core.ChunkEncoding;
import sluice.core.CorruptException;

/**
 * Spans of an uncompressed blob: all of one size, but for the last (SOCI's {@code TarZinfo}).
 *
 * <pre>
 * table TarZinfo    0 version  i32
 *                   1 span size  i64
 *                   2 size  i64, of the blob
 * </pre>
 *
 * <p>It is a FlatBuffer; older tools wrote the three numbers one behind the other.
 *
 * @param spanBytes length of a span
 * @param blobBytes length of the blob, which is the tar stream
 * @param tarBytes length of the tar stream up to its end mark
 */
record PlainSpans(long spanBytes, long blobBytes, long tarBytes) implements Spans {

  static final int VERSION = 2;
  static final int FIELD_VERSION = 0;
  static final int FIELD_SPAN_SIZE = 1;
  static final int FIELD_SIZE = 2;
  static final int FIELDS = 3;

  private static final int PACKED_BYTES = Integer.BYTES + 2 * Long.BYTES;

  /**
   * Reads the zTOC's checkpoints.
   *
   * @throws CorruptException if they are not of this blob, or spans are too many or too long
   */
  static PlainSpans read(MemorySegment zinfo, long blobBytes, long tarBytes, String resource)
      throws CorruptException {
    long spanBytes;
    long size;
    if (zinfo.byteSize() == PACKED_BYTES) {
      spanBytes = zinfo.get(GzipSpans.LE_LONG, Integer.BYTES);
      size = zinfo.get(GzipSpans.LE_LONG, Integer.BYTES + Long.BYTES);
    } else {
      FlatTable table = new FlatBuffer(zinfo.asByteBuffer(), "TarZinfo", resource).root();
      spanBytes = table.longAt(FIELD_SPAN_SIZE, 0);
      size = table.longAt(FIELD_SIZE, 0);
    }
    if (spanBytes < 1
        || spanBytes > MAX_SPAN_BYTES
        || size != blobBytes
        || tarBytes > blobBytes
        || (size - 1) / spanBytes >= MAX_SPANS) {
      throw new CorruptException(
          "TarZinfo: spans of %d bytes (at most %d), %d of them at most, a size of %d and a tar of"
                  .formatted(spanBytes, MAX_SPAN_BYTES, MAX_SPANS, size)
              + " %d in a blob of %d".formatted(tarBytes, blobBytes),
          resource,
          -1);
    }
    return new PlainSpans(spanBytes, blobBytes, tarBytes);
  }

  @Override
  public int count() {
    return Math.toIntExact((blobBytes + spanBytes - 1) / spanBytes);
  }

  @Override
  public ByteRange encoded(int span) {
    long from = span * spanBytes;
    return new ByteRange(from, Math.min(spanBytes, blobBytes - from));
  }

  /** The whole span: the chunk cache wants plain bytes as long decoded as encoded. */
  @Override
  public ByteRange decoded(int span) {
    return encoded(span);
  }

  @Override
  public ChunkEncoding encoding(int span) {
    return new ChunkEncoding.Plain();
  }
}

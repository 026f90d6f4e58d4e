package sluice.formats.soci;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdDirectBufferDecompressingStreamNoFinalizer;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Finds the frames of a zstd blob that was verified, and joins them to spans (RFC 8878). Where a
 * frame does not say how long its content is, it is decoded once more. For one thread, once.
 */
final class FramePass {

  private static final int FIRST_CAPACITY = 64;
  private static final int MAX_WINDOW_LOG = 27;
  private static final int DECODED_BYTES = 128 << 10;

  private final MemorySegment blob;
  private final long spanBytes;

  private long[] blobOffsets = new long[FIRST_CAPACITY];
  private long[] tarOffsets = new long[FIRST_CAPACITY];
  private int edges;

  /**
   * @param blob all of it, in native memory
   * @param spanBytes how many decoded bytes a span has at most, unless one frame has more
   */
  FramePass(MemorySegment blob, long spanBytes) {
    this.blob = blob;
    this.spanBytes = spanBytes;
  }

  /**
   * The table, as {@link FrameSpans#read} takes it.
   *
   * @throws UnseekableException if a frame is too long for a span of its own, or is all there is
   */
  MemorySegment run() throws IOException {
    long tarBytes = 0;
    long at = 0;
    // Behind the last frame that has content: what follows is of no use to a reader.
    long end = 0;
    int frames = 0;
    edge(0, 0);
    while (at < blob.byteSize()) {
      ByteBuffer rest =
          blob.asSlice(at, Math.min(blob.byteSize() - at, Spans.MAX_SPAN_BYTES)).asByteBuffer();
      long encoded = Zstd.findFrameCompressedSize(rest);
      if (Zstd.isError(encoded) || encoded < 1) {
        throw new UnseekableException(
            "the zstd frame at %d is longer than %d bytes".formatted(at, Spans.MAX_SPAN_BYTES));
      }
      long decoded = contentBytes(rest.slice(0, (int) encoded));
      if (decoded > Spans.MAX_SPAN_BYTES) {
        throw tooLong(at, decoded);
      }
      if (tarOffsets[edges - 1] < tarBytes
          && tarBytes + decoded - tarOffsets[edges - 1] > spanBytes) {
        edge(at, tarBytes);
      }
      at += encoded;
      if (decoded > 0) {
        tarBytes += decoded;
        end = at;
        frames++;
      }
    }
    if (frames == 1 && tarBytes > spanBytes) {
      throw new UnseekableException(
          "all of it is one zstd frame, which can only be decoded from its beginning");
    }
    edge(end, tarBytes);
    return FrameSpans.write(blobOffsets, tarOffsets, edges);
  }

  private static UnseekableException tooLong(long at, long decoded) {
    return new UnseekableException(
        "the zstd frame at %d decodes to %d bytes or more, at most %d can be a span"
            .formatted(at, decoded, Spans.MAX_SPAN_BYTES));
  }

  private static long contentBytes(ByteBuffer frame) throws IOException {
    long stated = Zstd.getFrameContentSize(frame);
    return stated >= 0 ? stated : decodedBytes(frame);
  }

  private static long decodedBytes(ByteBuffer frame) throws IOException {
    ByteBuffer decoded = ByteBuffer.allocateDirect(DECODED_BYTES);
    long total = 0;
    try (ZstdDirectBufferDecompressingStreamNoFinalizer stream =
        new ZstdDirectBufferDecompressingStreamNoFinalizer(frame)) {
      stream.setLongMax(MAX_WINDOW_LOG);
      while (stream.hasRemaining() && total <= Spans.MAX_SPAN_BYTES) {
        int before = frame.position();
        int count = stream.read(decoded.clear());
        if (count == 0 && frame.position() == before) {
          break;
        }
        total += count;
      }
    }
    return total;
  }

  private void edge(long blobOffset, long tarOffset) {
    if (edges == blobOffsets.length) {
      blobOffsets = Arrays.copyOf(blobOffsets, 2 * edges);
      tarOffsets = Arrays.copyOf(tarOffsets, 2 * edges);
    }
    blobOffsets[edges] = blobOffset;
    tarOffsets[edges] = tarOffset;
    edges++;
  }
}

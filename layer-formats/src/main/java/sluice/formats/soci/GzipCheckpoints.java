package sluice.formats.soci;

import com.google.flatbuffers.FlatBufferBuilder;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;

/**
 * Writes checkpoints as {@link GzipSpans} reads them, one by one as a gzip stream is decoded, into
 * a file from its beginning on. For one thread.
 */
public final class GzipCheckpoints {

  private final FileChannel out;
  private final long spanBytes;
  private final ByteBuffer record =
      ByteBuffer.allocate(GzipSpans.CHECKPOINT_BYTES).order(ByteOrder.LITTLE_ENDIAN);
  private int count;

  /**
   * @param out empty; left open
   * @param spanBytes after how many decoded bytes a checkpoint was looked for
   */
  public GzipCheckpoints(FileChannel out, long spanBytes) {
    this.out = out;
    this.spanBytes = spanBytes;
  }

  /**
   * Adds the next checkpoint; the first one is where the first block begins.
   *
   * @param blobOffset the first whole byte of the blob that is not decoded yet
   * @param tarOffset how many bytes were decoded before
   * @param bits how many high bits of the byte before are not decoded yet, 0 to 7
   * @param window the decoded bytes before, at most 32 KiB, the oldest first
   */
  public void add(long blobOffset, long tarOffset, int bits, ByteBuffer window) throws IOException {
    if (window.remaining() > GzipSpans.WINDOW_BYTES || bits < 0 || bits > 7) {
      throw new IllegalArgumentException(
          "checkpoint: window of %d bytes, bits %d".formatted(window.remaining(), bits));
    }
    record.clear();
    record.putLong(blobOffset).putLong(tarOffset).put((byte) bits);
    record.put(new byte[GzipSpans.WINDOW_BYTES - window.remaining()]).put(window.duplicate());
    write(GzipSpans.HEADER_BYTES + (long) count * GzipSpans.CHECKPOINT_BYTES);
    count++;
  }

  /** Writes what stands before the checkpoints. */
  public void finish() throws IOException {
    record.clear();
    record.putInt(count).putLong(spanBytes);
    write(0);
  }

  private void write(long offset) throws IOException {
    record.flip();
    long at = offset;
    while (record.hasRemaining()) {
      at += out.write(record, at);
    }
  }

  /** What a zTOC of an uncompressed blob has for checkpoints. */
  public static MemorySegment plain(long spanBytes, long blobBytes) {
    FlatBufferBuilder builder = new FlatBufferBuilder();
    builder.startTable(PlainSpans.FIELDS);
    builder.addInt(PlainSpans.FIELD_VERSION, PlainSpans.VERSION, 0);
    builder.addLong(PlainSpans.FIELD_SPAN_SIZE, spanBytes, 0);
    builder.addLong(PlainSpans.FIELD_SIZE, blobBytes, 0);
    builder.finish(builder.endTable());
    return MemorySegment.ofArray(builder.sizedByteArray());
  }
}

package sluice.formats.inflate;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import sluice.core.CorruptException;

/**
 * Decodes a gzip layer once more, to find checkpoints: places from which a part of it can be
 * decoded alone, with what was decoded before as its window.
 *
 * <p>They are those of zlib's {@code examples/zran.c}, and so of SOCI ({@code gzip_zinfo.c}), which
 * makes the same list of the same layer: the end of each member's header and of each block but a
 * member's last one is looked at ({@code Z_BLOCK}), and is a checkpoint if it is the first, or more
 * than {@code spanBytes} were decoded since the last one. Members follow each other, as in the
 * layer. One thing differs: of several places before the first decoded byte, which empty blocks
 * make, SOCI takes each, this pass only the first, so that no span is empty.
 *
 * <p>A span goes from a checkpoint to the next. Its encoded bytes are hashed as SOCI hashes them:
 * from the byte that holds the checkpoint's first bits to the next checkpoint, or the end of the
 * layer. A byte in which one span ends and the next begins belongs to both.
 *
 * <p>Refuses what a stream of the layer refuses. Memory: some 400 KiB, whatever the layer is; the
 * sink gets the windows one by one. For one thread at a time, and that a platform thread: it is
 * native code ({@link InflaterLibrary#LIBZ}), at about 350 MB of decoded bytes a second.
 */
public final class CheckpointPass implements AutoCloseable {

  /** The window of deflate (RFC 1951). */
  public static final int WINDOW_BYTES = 32 * 1024;

  /** Room for output: with more of it, zlib saves its window less often. */
  private static final int RING_BYTES = 8 * WINDOW_BYTES;

  /** See {@code inflate} in zlib.h: {@code data_type} when it has stopped. */
  private static final int UNUSED_BITS = 7;

  private static final int LAST_BLOCK = 64;
  private static final int BLOCK_END = 128;

  /** What the pass finds, in the order of the layer. Calls come from {@link #feed}'s thread. */
  public interface Sink {

    /**
     * The next checkpoint.
     *
     * @param blobOffset the first whole byte of the layer that is not decoded yet
     * @param tarOffset how many bytes were decoded before
     * @param bits how many high bits of the byte before {@code blobOffset} are not decoded yet, 0
     *     to 7
     * @param window the last 32 KiB that were decoded, the oldest first; zeros stand for what never
     *     was. Good until the call returns
     */
    void checkpoint(long blobOffset, long tarOffset, int bits, ByteBuffer window)
        throws IOException;

    /**
     * The span of the checkpoint before has ended.
     *
     * @param sha256 of its encoded bytes, 32 bytes, of which the sink takes ownership
     */
    void spanEnd(byte[] sha256) throws IOException;
  }

  /**
   * What the layer is.
   *
   * @param blobBytes length of the layer
   * @param tarBytes length of what it decodes to
   */
  public record Totals(long blobBytes, long tarBytes, int checkpoints) {}

  private enum Part {
    HEADER,
    BLOCKS,
    TRAILER
  }

  private final long spanBytes;
  private final Sink sink;
  private final String resource;
  private final Arena arena = Arena.ofShared();
  private final NativeBuffers buffers = new NativeBuffers(arena);
  private final MemorySegment ring = arena.allocate(RING_BYTES);
  private final ZStream stream = new ZStream(arena);
  private final GzipHeader header = new GzipHeader();
  private final CRC32 crc = new CRC32();
  private final SpanHasher spans = new SpanHasher();

  /** Where the next decoded byte goes; the window lies before it, around the end. */
  private int ringPosition;

  private Part part = Part.HEADER;

  /** Bytes of the header or trailer so far, and the value of the trailer. */
  private int partBytes;

  private long trailer;
  private long memberBytes;
  private long blobBytes;
  private long tarBytes;
  private long lastCheckpoint;
  private int checkpoints;

  /**
   * Begins a layer.
   *
   * @param spanBytes decoded bytes between two checkpoints, at least; 32 KiB or more, for each
   *     checkpoint costs as much
   * @param resource what is read, for messages: {@code layer sha256:…}
   * @throws IllegalStateException if {@link InflaterLibrary#LIBZ} is not present
   */
  public CheckpointPass(long spanBytes, Sink sink, String resource) {
    if (spanBytes < WINDOW_BYTES) {
      throw new IllegalArgumentException(
          "spans of %d bytes, at least %d".formatted(spanBytes, WINDOW_BYTES));
    }
    this.spanBytes = spanBytes;
    this.sink = sink;
    this.resource = resource;
  }

  /**
   * Takes the next bytes of the layer, all of them.
   *
   * @throws CorruptException if they are not gzip. The pass is of no more use then, but to close it
   */
  public void feed(ByteBuffer encoded) throws IOException {
    try {
      while (encoded.hasRemaining()) {
        switch (part) {
          case HEADER -> header(encoded.get());
          case BLOCKS -> blocks(encoded);
          case TRAILER -> trailer(encoded.get());
        }
      }
    } catch (DataFormatException e) {
      CorruptException corrupt = corrupt(String.valueOf(e.getMessage()));
      corrupt.initCause(e);
      throw corrupt;
    }
  }

  /**
   * Says that the layer has ended. The last span ends here.
   *
   * @throws CorruptException if it ends inside a member, or has none
   */
  public Totals finish() throws IOException {
    if (part != Part.HEADER || partBytes > 0 || checkpoints == 0) {
      throw corrupt(
          checkpoints == 0
              ? "the stream ends before any deflate block"
              : "the stream ends inside a member");
    }
    sink.spanEnd(spans.end());
    return new Totals(blobBytes, tarBytes, checkpoints);
  }

  /** Frees the native memory. */
  @Override
  public void close() {
    try (arena) {
      stream.close();
    }
  }

  private void header(byte next) throws IOException, DataFormatException {
    took(next);
    partBytes++;
    if (header.accept(next)) {
      partBytes = 0;
      memberBytes = 0;
      crc.reset();
      stream.reset();
      part = Part.BLOCKS;
      consider(0);
    }
  }

  private void trailer(byte next) throws DataFormatException {
    took(next);
    trailer |= (next & 0xffL) << (Byte.SIZE * partBytes);
    partBytes++;
    if (partBytes < GzipHeader.TRAILER_BYTES) {
      return;
    }
    if ((int) trailer != (int) crc.getValue()
        || (int) (trailer >>> Integer.SIZE) != (int) memberBytes) {
      throw new DataFormatException(
          "member: CRC 0x%08x, %d bytes, expected 0x%08x, %d modulo 2^32"
              .formatted(
                  (int) crc.getValue(), memberBytes, (int) trailer, trailer >>> Integer.SIZE));
    }
    trailer = 0;
    partBytes = 0;
    header.start();
    part = Part.HEADER;
  }

  private void took(byte next) {
    spans.update(next);
    blobBytes++;
  }

  /** Decodes what {@code encoded} begins with, up to the member's end or as far as it goes. */
  private void blocks(ByteBuffer encoded) throws IOException, DataFormatException {
    try {
      MemorySegment piece = buffers.encoded(encoded);
      boolean progress = true;
      while (progress && part == Part.BLOCKS) {
        MemorySegment room = ring.asSlice(ringPosition);
        boolean ended = stream.inflate(piece, room, Libz.BLOCK);
        progress = stream.consumed() > 0 || stream.produced() > 0;
        took(encoded, stream.consumed());
        piece = piece.asSlice(stream.consumed());
        put(room.asSlice(0, stream.produced()));
        if (ended) {
          part = Part.TRAILER;
        } else if ((stream.dataType() & (BLOCK_END | LAST_BLOCK)) == BLOCK_END) {
          consider(stream.dataType() & UNUSED_BITS);
        }
      }
    } finally {
      Reference.reachabilityFence(encoded);
    }
  }

  private void took(ByteBuffer encoded, int count) {
    spans.update(encoded, count);
    blobBytes += count;
  }

  private void put(MemorySegment decoded) {
    crc.update(decoded.asByteBuffer());
    int count = (int) decoded.byteSize();
    memberBytes += count;
    tarBytes += count;
    ringPosition = (ringPosition + count) % RING_BYTES;
  }

  /** Makes a checkpoint of where we are, if it is time. */
  private void consider(int bits) throws IOException {
    if (checkpoints > 0 && tarBytes - lastCheckpoint <= spanBytes) {
      return;
    }
    if (checkpoints > 0) {
      sink.spanEnd(spans.end());
    }
    spans.begin(bits > 0);
    sink.checkpoint(blobBytes, tarBytes, bits, window());
    checkpoints++;
    lastCheckpoint = tarBytes;
  }

  private ByteBuffer window() {
    ByteBuffer window = ByteBuffer.allocate(WINDOW_BYTES);
    int recent = Math.min(ringPosition, WINDOW_BYTES);
    window.put(ring.asSlice(RING_BYTES - (WINDOW_BYTES - recent)).asByteBuffer());
    window.put(ring.asSlice(ringPosition - recent, recent).asByteBuffer());
    return window.flip().asReadOnlyBuffer();
  }

  private CorruptException corrupt(String problem) {
    return new CorruptException("gzip: " + problem, resource, blobBytes);
  }
}

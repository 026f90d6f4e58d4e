package sluice.formats.inflate;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.zip.DataFormatException;

/**
 * One inflating stream of zlib: {@code z_stream} (zlib.h) on 64-bit machines.
 *
 * <pre>
 *   0  next_in    8
 *   8  avail_in   4
 *  16  total_in   8
 *  24  next_out   8
 *  32  avail_out  4
 *  40  total_out  8
 *  48  msg        8
 *  56  state      8
 *  64  zalloc, zfree, opaque   8 each; 0: malloc and free
 *  88  data_type  4
 *  96  adler, reserved         8 each
 * </pre>
 *
 * <p>For one thread at a time. {@link #close} frees what zlib has allocated.
 */
@SuppressWarnings("restricted") // A string of the library is read to its end.
final class ZStream implements AutoCloseable {

  private static final long NEXT_IN = 0;
  private static final long AVAIL_IN = 8;
  private static final long NEXT_OUT = 24;
  private static final long AVAIL_OUT = 32;
  private static final long MSG = 48;
  private static final long DATA_TYPE = 88;
  private static final long BYTES = 112;

  private final MemorySegment stream;
  private boolean open;
  private int consumed;
  private int produced;

  /** Makes a stream in memory of {@code arena}, which must outlive it. */
  ZStream(Arena arena) {
    this.stream = arena.allocate(BYTES, Long.BYTES);
    int code = Libz.init(stream);
    if (code != Libz.OK) {
      throw new IllegalStateException("zlib %s: inflateInit2: %d".formatted(Libz.version(), code));
    }
    this.open = true;
  }

  void reset() {
    check("inflateReset2", Libz.reset(stream));
  }

  /** Gives the first {@code bits} bits of a stream. */
  void prime(int bits, int value) {
    check("inflatePrime", Libz.prime(stream, bits, value));
  }

  void setDictionary(MemorySegment dictionary) {
    check("inflateSetDictionary", Libz.setDictionary(stream, dictionary));
  }

  /**
   * One call of {@code inflate}. Both segments are native and outlive the call.
   *
   * @return whether the stream has ended
   */
  boolean inflate(MemorySegment encoded, MemorySegment room, int flush) throws DataFormatException {
    if (!open) {
      throw new IllegalStateException("closed");
    }
    int encodedBytes = Math.toIntExact(encoded.byteSize());
    int roomBytes = Math.toIntExact(room.byteSize());
    stream.set(ADDRESS, NEXT_IN, encoded);
    stream.set(JAVA_INT, AVAIL_IN, encodedBytes);
    stream.set(ADDRESS, NEXT_OUT, room);
    stream.set(JAVA_INT, AVAIL_OUT, roomBytes);
    int code = Libz.inflate(stream, flush);
    consumed = encodedBytes - stream.get(JAVA_INT, AVAIL_IN);
    produced = roomBytes - stream.get(JAVA_INT, AVAIL_OUT);
    return switch (code) {
      case Libz.STREAM_END -> true;
      case Libz.OK, Libz.BUF_ERROR -> false;
      case Libz.NEED_DICT -> throw new DataFormatException("asks for a preset dictionary");
      default -> throw new DataFormatException(message(code));
    };
  }

  /** Bytes of the input that the last call took. */
  int consumed() {
    return consumed;
  }

  /** Bytes that the last call put out. */
  int produced() {
    return produced;
  }

  /** What zlib says of where the last call stopped: see {@code data_type} at {@code inflate}. */
  int dataType() {
    return stream.get(JAVA_INT, DATA_TYPE);
  }

  @Override
  public void close() {
    if (open) {
      open = false;
      check("inflateEnd", Libz.end(stream));
    }
  }

  private String message(int code) {
    MemorySegment text = stream.get(ADDRESS, MSG);
    return text.address() == 0
        ? "zlib: error " + code
        : text.reinterpret(Libz.MAX_TEXT_BYTES).getString(0);
  }

  private static void check(String call, int code) {
    if (code != Libz.OK) {
      throw new IllegalStateException("zlib: %s: %d".formatted(call, code));
    }
  }
}

package sluice.formats.inflate;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** zlib's functions (zlib.h), as far as inflating needs them. */
@SuppressWarnings("restricted") // A string of the library is read to its end.
final class Libz {

  static final String NAME = "libz.so.1";

  /** Return codes and flush values of zlib.h. */
  static final int OK = 0;

  static final int STREAM_END = 1;
  static final int NEED_DICT = 2;
  static final int BUF_ERROR = -5;
  static final int NO_FLUSH = 0;
  static final int BLOCK = 5;

  /** Negative: raw deflate; 2^15 bytes of window. */
  static final int RAW_WINDOW_BITS = -15;

  /** More than any string that zlib returns. */
  static final int MAX_TEXT_BYTES = 256;

  private static final NativeLibrary LIBRARY = NativeLibrary.load(NAME);

  private static final MethodHandle ZLIB_VERSION = LIBRARY.function("zlibVersion", ADDRESS);
  private static final MethodHandle INFLATE_INIT =
      LIBRARY.function("inflateInit2_", JAVA_INT, ADDRESS, JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle INFLATE =
      LIBRARY.function("inflate", JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle INFLATE_PRIME =
      LIBRARY.function("inflatePrime", JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT);
  private static final MethodHandle INFLATE_SET_DICTIONARY =
      LIBRARY.function("inflateSetDictionary", JAVA_INT, ADDRESS, ADDRESS, JAVA_INT);
  private static final MethodHandle INFLATE_RESET =
      LIBRARY.function("inflateReset2", JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle INFLATE_END = LIBRARY.function("inflateEnd", JAVA_INT, ADDRESS);

  private Libz() {}

  static String version() {
    try {
      MemorySegment text = (MemorySegment) ZLIB_VERSION.invokeExact();
      return text.reinterpret(MAX_TEXT_BYTES).getString(0);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** zlib compares version and length of the struct with its own, and refuses others. */
  static int init(MemorySegment stream) {
    try (Arena arena = Arena.ofConfined()) {
      return (int)
          INFLATE_INIT.invokeExact(
              stream, RAW_WINDOW_BITS, arena.allocateFrom(version()), (int) stream.byteSize());
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static int inflate(MemorySegment stream, int flush) {
    try {
      return (int) INFLATE.invokeExact(stream, flush);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static int prime(MemorySegment stream, int bits, int value) {
    try {
      return (int) INFLATE_PRIME.invokeExact(stream, bits, value);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static int setDictionary(MemorySegment stream, MemorySegment dictionary) {
    try {
      return (int)
          INFLATE_SET_DICTIONARY.invokeExact(stream, dictionary, (int) dictionary.byteSize());
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static int reset(MemorySegment stream) {
    try {
      return (int) INFLATE_RESET.invokeExact(stream, RAW_WINDOW_BITS);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static int end(MemorySegment stream) {
    try {
      return (int) INFLATE_END.invokeExact(stream);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  private static AssertionError unexpected(Throwable e) {
    return new AssertionError("zlib's functions have these signatures", e);
  }
}

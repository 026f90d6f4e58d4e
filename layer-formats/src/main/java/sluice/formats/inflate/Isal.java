package sluice.formats.inflate;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Functions of Intel's Intelligent Storage Acceleration Library (isa-l/igzip_lib.h). */
final class Isal {

  static final String NAME = "libisal.so.2";

  private static final NativeLibrary LIBRARY = NativeLibrary.load(NAME);

  private static final MethodHandle INIT = LIBRARY.procedure("isal_inflate_init", ADDRESS);
  private static final MethodHandle RESET = LIBRARY.procedure("isal_inflate_reset", ADDRESS);
  private static final MethodHandle SET_DICTIONARY =
      LIBRARY.function("isal_inflate_set_dict", JAVA_INT, ADDRESS, ADDRESS, JAVA_INT);
  private static final MethodHandle INFLATE = LIBRARY.function("isal_inflate", JAVA_INT, ADDRESS);

  private Isal() {}

  static void init(MemorySegment state) {
    try {
      INIT.invokeExact(state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static void reset(MemorySegment state) {
    try {
      RESET.invokeExact(state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static int setDictionary(MemorySegment state, MemorySegment dictionary) {
    try {
      return (int) SET_DICTIONARY.invokeExact(state, dictionary, (int) dictionary.byteSize());
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static int inflate(MemorySegment state) {
    try {
      return (int) INFLATE.invokeExact(state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  private static AssertionError unexpected(Throwable e) {
    return new AssertionError("ISA-L's functions have these signatures", e);
  }
}

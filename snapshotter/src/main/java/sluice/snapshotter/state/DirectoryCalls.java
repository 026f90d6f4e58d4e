package sluice.snapshotter.state;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * The system calls that {@link OpenDirectory} is made of. Names are C strings: any bytes but {@code
 * /}. Each call answers its result, or the negative errno: within a tree that a container changes,
 * or that another cleanup deletes, most failures are ordinary answers.
 */
@SuppressWarnings("restricted") // system calls; the launcher enables native access
final class DirectoryCalls {

  // asm-generic/errno-base.h and errno.h, the same on every architecture that Linux has JVMs for
  static final int ENOENT = 2;
  static final int ENOTDIR = 20;
  static final int EISDIR = 21;
  static final int EEXIST = 17;
  static final int ENOTEMPTY = 39;
  static final int ELOOP = 40;

  static final int AT_FDCWD = -100;
  static final int AT_REMOVEDIR = 0x200;

  /** {@code struct statx} (include/uapi/linux/stat.h), the same on every architecture. */
  static final int STATX_BYTES = 256;

  private static final int AT_SYMLINK_NOFOLLOW = 0x100;
  private static final int AT_EMPTY_PATH = 0x1000;
  private static final int STATX_BASIC_STATS = 0x7ff;

  // fcntl.h; arm64 has numbers of its own for two of these
  private static final boolean ARM64 = System.getProperty("os.arch").equals("aarch64");
  private static final int O_DIRECTORY = ARM64 ? 0x4000 : 0x10000;
  private static final int O_CLOEXEC = 0x80000;

  /** Also for {@link #open}: not through a symbolic link. */
  static final int O_NOFOLLOW = ARM64 ? 0x8000 : 0x20000;

  private static final Linker LINKER = Linker.nativeLinker();
  private static final StructLayout CAPTURED = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      CAPTURED.varHandle(MemoryLayout.PathElement.groupElement("errno"));

  private static final MethodHandle OPENAT = bind("openat", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle CLOSE = bind("close", JAVA_INT, JAVA_INT);
  private static final MethodHandle GETDENTS =
      bind("getdents64", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG);
  private static final MethodHandle LSEEK = bind("lseek", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_INT);
  private static final MethodHandle STATX =
      bind("statx", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, ADDRESS);
  private static final MethodHandle UNLINKAT =
      bind("unlinkat", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle RENAMEAT =
      bind("renameat", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, ADDRESS);
  private static final MethodHandle MKDIRAT =
      bind("mkdirat", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);

  private static final MethodHandle STRERROR =
      LINKER.downcallHandle(
          LINKER.defaultLookup().findOrThrow("strerror"), FunctionDescriptor.of(ADDRESS, JAVA_INT));

  /** Longest text of an errno that is read. */
  private static final int MESSAGE_BYTES = 256;

  /** In automatic memory, so that it lives as long as its thread. */
  private static final ThreadLocal<MemorySegment> STATE =
      ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(CAPTURED));

  private DirectoryCalls() {}

  /**
   * Opens a directory; the descriptor.
   *
   * @param flags {@link #O_NOFOLLOW} or 0
   */
  static int open(int directory, MemorySegment name, int flags) {
    MemorySegment state = STATE.get();
    int all = O_DIRECTORY | O_CLOEXEC | flags;
    try {
      return result((int) OPENAT.invokeExact(state, directory, name, all), state);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  static void close(int fd) {
    try {
      int ignored = (int) CLOSE.invokeExact(STATE.get(), fd);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** Reads entries, {@code struct linux_dirent64} each; how many bytes, 0 at the end. */
  static int entries(int directory, MemorySegment into) {
    MemorySegment state = STATE.get();
    try {
      return result((long) GETDENTS.invokeExact(state, directory, into, into.byteSize()), state);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** Goes on reading after the entry with this {@code d_off}; at the first one if it is 0. */
  static int seek(int directory, long position) {
    MemorySegment state = STATE.get();
    try {
      long reached = (long) LSEEK.invokeExact(state, directory, position, 0);
      return reached < 0 ? result(-1, state) : 0;
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** Fills a {@code struct statx}; an empty name is the directory itself. */
  static int statx(int directory, MemorySegment name, MemorySegment into) {
    MemorySegment state = STATE.get();
    int flags = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;
    try {
      return result(
          (int) STATX.invokeExact(state, directory, name, flags, STATX_BASIC_STATS, into), state);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** Deletes a file, or with {@link #AT_REMOVEDIR} an empty directory. */
  static int unlink(int directory, MemorySegment name, int flags) {
    MemorySegment state = STATE.get();
    try {
      return result((int) UNLINKAT.invokeExact(state, directory, name, flags), state);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  static int rename(int from, MemorySegment name, int to, MemorySegment newName) {
    MemorySegment state = STATE.get();
    try {
      return result((int) RENAMEAT.invokeExact(state, from, name, to, newName), state);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** Makes a directory that only its owner may enter. */
  static int makeDirectory(int directory, MemorySegment name) {
    MemorySegment state = STATE.get();
    try {
      return result((int) MKDIRAT.invokeExact(state, directory, name, 0700), state);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** What an errno means, in words. */
  static String message(int errno) {
    try {
      MemorySegment text = (MemorySegment) STRERROR.invokeExact(errno);
      return text.reinterpret(MESSAGE_BYTES).getString(0);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /**
   * A path as a C string. It need not be text in any encoding: a path keeps its bytes, and only its
   * URI shows them, as {@code %XX}.
   */
  static MemorySegment path(Arena arena, Path path) {
    byte[] uri = path.toUri().getRawPath().getBytes(StandardCharsets.US_ASCII);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(uri.length + 1);
    for (int i = 0; i < uri.length; i++) {
      if (uri[i] == '%') {
        bytes.write(Character.digit(uri[i + 1], 16) << 4 | Character.digit(uri[i + 2], 16));
        i += 2;
      } else {
        bytes.write(uri[i]);
      }
    }
    bytes.write(0);
    return arena.allocateFrom(JAVA_BYTE, bytes.toByteArray());
  }

  /** The last name of a path as a C string. */
  static MemorySegment lastName(Arena arena, Path path) {
    byte[] bytes = path(arena, path).toArray(JAVA_BYTE);
    // There is a slash after what is a directory, and a zero after all.
    int end = bytes[bytes.length - 2] == '/' ? bytes.length - 2 : bytes.length - 1;
    int start = end;
    while (start > 0 && bytes[start - 1] != '/') {
      start--;
    }
    MemorySegment name = arena.allocate(end - start + 1L);
    MemorySegment.copy(bytes, start, name, JAVA_BYTE, 0, end - start);
    return name;
  }

  private static MethodHandle bind(String name, MemoryLayout result, MemoryLayout... arguments) {
    return LINKER.downcallHandle(
        LINKER.defaultLookup().findOrThrow(name),
        FunctionDescriptor.of(result, arguments),
        Linker.Option.captureCallState("errno"));
  }

  private static int result(long result, MemorySegment state) {
    return result >= 0 ? Math.toIntExact(result) : -(int) ERRNO.get(state, 0L);
  }

  private static AssertionError broken(Throwable e) {
    if (e instanceof Error error) {
      throw error;
    }
    return new AssertionError("a downcall throws nothing", e);
  }
}

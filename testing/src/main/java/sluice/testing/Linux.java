package sluice.testing;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;

/**
 * The calls of libc that {@link TreeListing} needs, for paths that are bytes. Each takes a path
 * that ends in NUL and throws with the call, the path and {@code errno} if it fails.
 */
final class Linux {

  private static final Linker LINKER = Linker.nativeLinker();
  private static final MemoryLayout CALL_STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      CALL_STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

  private static final int AT_FDCWD = -100;
  private static final int AT_SYMLINK_NOFOLLOW = 0x100;
  private static final int STATX_BASIC_STATS = 0x7ff;
  private static final int O_CLOEXEC = 0x80000;
  private static final int EOPNOTSUPP = 95;

  private static final MethodHandle STATX =
      call(
          "statx", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, ADDRESS));
  private static final MethodHandle OPEN =
      call(
          "open",
          FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT),
          Linker.Option.firstVariadicArg(2));
  private static final MethodHandle CLOSE =
      call("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
  private static final MethodHandle GETDENTS64 =
      call("getdents64", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG));
  private static final MethodHandle READ =
      call("read", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG));
  private static final MethodHandle READLINK =
      call("readlink", FunctionDescriptor.of(JAVA_LONG, ADDRESS, ADDRESS, JAVA_LONG));
  private static final MethodHandle LLISTXATTR =
      call("llistxattr", FunctionDescriptor.of(JAVA_LONG, ADDRESS, ADDRESS, JAVA_LONG));
  private static final MethodHandle LGETXATTR =
      call("lgetxattr", FunctionDescriptor.of(JAVA_LONG, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG));

  private static final MethodHandle SYSCALL =
      call(
          "syscall",
          FunctionDescriptor.of(
              JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG),
          Linker.Option.firstVariadicArg(1));
  private static final MethodHandle UMOUNT2 =
      call("umount2", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));

  private Linux() {}

  /** Fills {@code statx}, a {@code struct statx} of 256 bytes; does not follow a last link. */
  static void statx(MemorySegment path, MemorySegment statx) throws IOException {
    checked(
        "statx",
        path,
        state ->
            (int)
                STATX.invokeExact(
                    state, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, statx));
  }

  /** Opens a file or a directory to read it. */
  static int open(MemorySegment path) throws IOException {
    return (int) checked("open", path, state -> (int) OPEN.invokeExact(state, path, O_CLOEXEC));
  }

  static void close(int fd, MemorySegment path) throws IOException {
    checked("close", path, state -> (int) CLOSE.invokeExact(state, fd));
  }

  /** Fills {@code into} with entries, {@code struct linux_dirent64}; 0 at the end. */
  static long getdents64(int fd, MemorySegment into, MemorySegment path) throws IOException {
    return checked(
        "getdents64",
        path,
        state -> (long) GETDENTS64.invokeExact(state, fd, into, into.byteSize()));
  }

  /** Reads some bytes; 0 at the end. */
  static long read(int fd, MemorySegment into, MemorySegment path) throws IOException {
    return checked(
        "read", path, state -> (long) READ.invokeExact(state, fd, into, into.byteSize()));
  }

  static long readlink(MemorySegment path, MemorySegment into) throws IOException {
    return checked(
        "readlink", path, state -> (long) READLINK.invokeExact(state, path, into, into.byteSize()));
  }

  /** Fills {@code into} with names, each of which ends in NUL. */
  static long llistxattr(MemorySegment path, MemorySegment into) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CALL_STATE);
      long length =
          invoke(some -> (long) LLISTXATTR.invokeExact(some, path, into, into.byteSize()), state);
      // A file system may say that it has no xattrs at all, which ls and cp take for none.
      return length < 0 && (int) ERRNO.get(state, 0L) == EOPNOTSUPP
          ? 0
          : checked("llistxattr", path, length, state);
    }
  }

  static long lgetxattr(MemorySegment path, MemorySegment name, MemorySegment into)
      throws IOException {
    return checked(
        "lgetxattr",
        path,
        state -> (long) LGETXATTR.invokeExact(state, path, name, into, into.byteSize()));
  }

  /**
   * Makes a system call that libc has no function for.
   *
   * @param what names the call and its object, for messages
   */
  static long syscall(
      MemorySegment what, long number, long first, long second, long third, long fourth, long fifth)
      throws IOException {
    return checked(
        "syscall",
        what,
        state -> (long) SYSCALL.invokeExact(state, number, first, second, third, fourth, fifth));
  }

  static void umount(MemorySegment target) throws IOException {
    checked("umount2", target, state -> (int) UMOUNT2.invokeExact(state, target, 0));
  }

  @FunctionalInterface
  private interface Call {
    // A method handle declares Throwable; nothing but what invoke() below lets through is thrown.
    long invoke(MemorySegment state) throws Throwable;
  }

  private static long checked(String name, MemorySegment path, long result, MemorySegment state)
      throws IOException {
    if (result < 0) {
      throw new IOException(
          "%s %s: errno %d".formatted(name, path.getString(0), (int) ERRNO.get(state, 0L)));
    }
    return result;
  }

  private static long checked(String name, MemorySegment path, Call call) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CALL_STATE);
      return checked(name, path, invoke(call, state), state);
    }
  }

  private static long invoke(Call call, MemorySegment state) {
    try {
      return call.invoke(state);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError("native calls throw nothing checked", e);
    }
  }

  // Restricted: the signatures above are those of libc.
  @SuppressWarnings("restricted")
  private static MethodHandle call(
      String name, FunctionDescriptor type, Linker.Option... moreOptions) {
    Linker.Option[] options = new Linker.Option[moreOptions.length + 1];
    options[0] = Linker.Option.captureCallState("errno");
    System.arraycopy(moreOptions, 0, options, 1, moreOptions.length);
    return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), type, options);
  }
}

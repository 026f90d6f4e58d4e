package sluice.fuse;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Calls of libc that the JDK hides, with what they answer: a result, or the negative errno. */
@SuppressWarnings("restricted") // downcalls are what this class is for
public final class Posix {

  private static final Linker LINKER = Linker.nativeLinker();
  private static final MemoryLayout STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;

  private static final MethodHandle OPENDIR = bind("opendir", ValueLayout.ADDRESS, 1, 0);
  private static final MethodHandle READDIR = bind("readdir", ValueLayout.ADDRESS, 1, 0);
  private static final MethodHandle TELLDIR = bind("telldir", LONG, 1, 0);
  private static final MethodHandle CLOSEDIR = bind("closedir", INT, 1, 0);
  private static final MethodHandle SEEKDIR = seekdir();
  private static final MethodHandle GETXATTR = bind("lgetxattr", LONG, 3, 1);
  private static final MethodHandle LISTXATTR = bind("llistxattr", LONG, 2, 1);
  private static final MethodHandle LSEEK =
      downcall("lseek", FunctionDescriptor.of(LONG, INT, LONG, INT));

  /** {@code d_name} of {@code struct dirent}, 64-bit glibc and musl. */
  private static final int D_NAME = 19;

  private Posix() {}

  private static MethodHandle bind(String name, MemoryLayout result, int pointers, int longs) {
    MemoryLayout[] arguments = new MemoryLayout[pointers + longs];
    for (int i = 0; i < arguments.length; i++) {
      arguments[i] = i < pointers ? ValueLayout.ADDRESS : LONG;
    }
    return downcall(name, FunctionDescriptor.of(result, arguments));
  }

  private static MethodHandle seekdir() {
    return downcall("seekdir", FunctionDescriptor.ofVoid(ValueLayout.ADDRESS, LONG));
  }

  private static MethodHandle downcall(String name, FunctionDescriptor type) {
    return LINKER.downcallHandle(
        LINKER.defaultLookup().find(name).orElseThrow(),
        type,
        Linker.Option.captureCallState("errno"));
  }

  /** lgetxattr(2) into {@code room} bytes. */
  public static long getxattr(Path path, String name, long room) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      long result =
          (long)
              GETXATTR.invokeExact(
                  state,
                  text(arena, path.toString()),
                  text(arena, name),
                  arena.allocate(room + 1),
                  room);
      return result < 0 ? -(int) ERRNO.get(state, 0L) : result;
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  /** llistxattr(2) into {@code room} bytes. */
  public static long listxattr(Path path, long room) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      long result =
          (long)
              LISTXATTR.invokeExact(
                  state, text(arena, path.toString()), arena.allocate(room + 1), room);
      return result < 0 ? -(int) ERRNO.get(state, 0L) : result;
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  /** lseek(2). */
  public static long seek(int fd, long offset, int whence) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      long result = (long) LSEEK.invokeExact(state, fd, offset, whence);
      return result < 0 ? -(int) ERRNO.get(state, 0L) : result;
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  /** A directory that is being read. */
  public static final class Directory implements AutoCloseable {
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment state = arena.allocate(STATE);
    private final MemorySegment handle;

    public Directory(Path path) {
      try {
        handle = (MemorySegment) OPENDIR.invokeExact(state, text(arena, path.toString()));
      } catch (Throwable e) {
        throw new AssertionError(e);
      }
    }

    /** Up to {@code most} names from here on. */
    public List<String> read(int most) {
      List<String> names = new ArrayList<>();
      try {
        while (names.size() < most) {
          MemorySegment entry = (MemorySegment) READDIR.invokeExact(state, handle);
          if (entry.equals(MemorySegment.NULL)) {
            break;
          }
          names.add(entry.reinterpret(D_NAME + 256).getString(D_NAME));
        }
      } catch (Throwable e) {
        throw new AssertionError(e);
      }
      return names;
    }

    public long tell() {
      try {
        return (long) TELLDIR.invokeExact(state, handle);
      } catch (Throwable e) {
        throw new AssertionError(e);
      }
    }

    public void seek(long position) {
      try {
        SEEKDIR.invokeExact(state, handle, position);
      } catch (Throwable e) {
        throw new AssertionError(e);
      }
    }

    @Override
    public void close() {
      try {
        int ignored = (int) CLOSEDIR.invokeExact(state, handle);
      } catch (Throwable e) {
        throw new AssertionError(e);
      } finally {
        arena.close();
      }
    }
  }

  private static MemorySegment text(Arena arena, String text) {
    return arena.allocateFrom(text, StandardCharsets.UTF_8);
  }
}

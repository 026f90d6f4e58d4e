package sluice.linux;

import static sluice.linux.Libc.INT;
import static sluice.linux.Libc.LONG;
import static sluice.linux.Libc.POINTER;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * System calls. Safe for use by many threads; file descriptors and memory belong to the caller.
 *
 * <p>Calls that move data answer the number of bytes, or the negative errno: on those paths a
 * failure such as EAGAIN is an ordinary answer. The others throw.
 */
public final class Linux {

  // fcntl.h; equal on x86-64 and arm64
  public static final int O_RDONLY = 0;
  public static final int O_RDWR = 2;
  public static final int O_CLOEXEC = 0x80000;

  // linux/mount.h
  public static final long MS_RDONLY = 1;
  public static final long MS_NOSUID = 2;
  public static final long MS_NODEV = 4;
  public static final long MS_REMOUNT = 32;
  public static final long MS_BIND = 4096;
  public static final int MNT_FORCE = 1;
  public static final int MNT_DETACH = 2;
  public static final int UMOUNT_NOFOLLOW = 8;

  /** {@code linux/fs.h}: fail with EAGAIN instead of waiting for a disk. */
  private static final int RWF_NOWAIT = 8;

  private static final int AT_FDCWD = -100;
  private static final int AT_NO_AUTOMOUNT = 0x800;
  private static final int AT_STATX_FORCE_SYNC = 0x2000;
  private static final int STATX_BASIC_STATS = 0x7ff;

  /** {@code sizeof(struct statx)}, {@code linux/stat.h}. */
  private static final int STATX_BYTES = 256;

  private static final MethodHandle OPEN = Libc.bindVariadic("open", 2, INT, POINTER, INT, INT);
  private static final MethodHandle CLOSE = Libc.bind("close", INT, INT);
  private static final MethodHandle READ = Libc.bind("read", LONG, INT, POINTER, LONG);
  private static final MethodHandle WRITE = Libc.bind("write", LONG, INT, POINTER, LONG);
  private static final MethodHandle PREAD = Libc.bind("pread", LONG, INT, POINTER, LONG, LONG);
  private static final MethodHandle PREADV2 =
      Libc.bind("preadv2", LONG, INT, POINTER, INT, LONG, INT);
  private static final MethodHandle MOUNT =
      Libc.bind("mount", INT, POINTER, POINTER, POINTER, LONG, POINTER);
  private static final MethodHandle UMOUNT2 = Libc.bind("umount2", INT, POINTER, INT);
  private static final MethodHandle STATX =
      Libc.bind("statx", INT, INT, POINTER, INT, INT, POINTER);

  private static final MethodHandle GETPAGESIZE = Libc.bind("getpagesize", INT);

  /** {@code struct iovec}: base and length; one a thread, for calls that take a single one. */
  private static final ThreadLocal<MemorySegment> IOVEC =
      ThreadLocal.withInitial(
          () -> Arena.ofAuto().allocate(MemoryLayout.structLayout(POINTER, LONG)));

  private Linux() {}

  /** Opens a file; the caller closes it. */
  public static int open(Path path, int flags) throws LinuxException {
    MemorySegment state = Libc.state();
    int fd;
    try (Arena arena = Arena.ofConfined()) {
      fd = (int) OPEN.invokeExact(state, text(arena, path.toString()), flags, 0);
    } catch (Throwable e) {
      throw broken(e);
    }
    if (fd < 0) {
      throw new LinuxException("open(" + path + ')', Libc.errno(state));
    }
    return fd;
  }

  /** Closes a file descriptor; what close(2) answers says nothing useful about a file read. */
  public static void close(int fd) {
    try {
      int ignored = (int) CLOSE.invokeExact(Libc.state(), fd);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** read(2): bytes read, or the negative errno. */
  public static long read(int fd, MemorySegment into, long lengthBytes) {
    MemorySegment state = Libc.state();
    try {
      return result((long) READ.invokeExact(state, fd, into, lengthBytes), state);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** write(2): bytes written, or the negative errno. */
  public static long write(int fd, MemorySegment from, long lengthBytes) {
    MemorySegment state = Libc.state();
    try {
      return result((long) WRITE.invokeExact(state, fd, from, lengthBytes), state);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** pread(2): bytes read, 0 at the end of the file, or the negative errno. */
  public static long pread(int fd, MemorySegment into, long lengthBytes, long offset) {
    MemorySegment state = Libc.state();
    try {
      return result((long) PREAD.invokeExact(state, fd, into, lengthBytes, offset), state);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /**
   * preadv2(2) with {@code RWF_NOWAIT}: reads what the page cache has. Fewer bytes than asked for,
   * or -EAGAIN, say that the rest is on disk; -EOPNOTSUPP that the file system can't tell.
   */
  public static long preadNoWait(int fd, MemorySegment into, long lengthBytes, long offset) {
    MemorySegment state = Libc.state();
    MemorySegment iovec = IOVEC.get();
    iovec.set(POINTER, 0, into);
    iovec.set(LONG, POINTER.byteSize(), lengthBytes);
    try {
      return result((long) PREADV2.invokeExact(state, fd, iovec, 1, offset, RWF_NOWAIT), state);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** mount(2). */
  public static void mount(
      String source, Path target, @Nullable String type, long flags, @Nullable String data)
      throws LinuxException {
    MemorySegment state = Libc.state();
    int result;
    try (Arena arena = Arena.ofConfined()) {
      result =
          (int)
              MOUNT.invokeExact(
                  state,
                  text(arena, source),
                  text(arena, target.toString()),
                  text(arena, type),
                  flags,
                  text(arena, data));
    } catch (Throwable e) {
      throw broken(e);
    }
    if (result < 0) {
      throw new LinuxException(
          "mount(%s, %s, %s, 0x%x, %s)".formatted(source, target, type, flags, data),
          Libc.errno(state));
    }
  }

  /** umount2(2) of the topmost mount at {@code target}. */
  public static void unmount(Path target, int flags) throws LinuxException {
    MemorySegment state = Libc.state();
    int result;
    try (Arena arena = Arena.ofConfined()) {
      result = (int) UMOUNT2.invokeExact(state, text(arena, target.toString()), flags);
    } catch (Throwable e) {
      throw broken(e);
    }
    if (result < 0) {
      throw new LinuxException("umount2(%s, 0x%x)".formatted(target, flags), Libc.errno(state));
    }
  }

  /**
   * Asks the file system of {@code path} for its attributes, whatever the kernel has cached: so a
   * mount whose server is gone says ENOTCONN.
   *
   * @return 0, or the positive errno
   */
  public static int probe(Path path) {
    MemorySegment state = Libc.state();
    try (Arena arena = Arena.ofConfined()) {
      int result =
          (int)
              STATX.invokeExact(
                  state,
                  AT_FDCWD,
                  text(arena, path.toString()),
                  AT_STATX_FORCE_SYNC | AT_NO_AUTOMOUNT,
                  STATX_BASIC_STATS,
                  arena.allocate(STATX_BYTES, Long.BYTES));
      return result == 0 ? 0 : Libc.errno(state);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** Length of a memory page of this machine in bytes: 4, 16 or 64 KiB. */
  public static int pageBytes() {
    try {
      return (int) GETPAGESIZE.invokeExact(Libc.state());
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  private static long result(long returned, MemorySegment state) {
    return returned < 0 ? -Libc.errno(state) : returned;
  }

  private static MemorySegment text(Arena arena, @Nullable String text) {
    return text == null ? MemorySegment.NULL : arena.allocateFrom(text, StandardCharsets.UTF_8);
  }

  /** A handle throws only when it is called with other types than those it was bound with. */
  private static AssertionError broken(Throwable e) {
    return new AssertionError("downcall", e);
  }
}

package sluice.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static sluice.linux.Libc.INT;
import static sluice.linux.Libc.LONG;
import static sluice.linux.Libc.POINTER;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import sluice.core.Bytes;
import sluice.erofs.Attributes;
import sluice.erofs.DirectoryWalk;
import sluice.erofs.FileType;

/**
 * Directories as Linux shows them. Goes from each directory to the next by its descriptor, so that
 * no path is too long. Reads xattrs of all namespaces, {@code trusted} among them, as root may.
 */
public final class LocalDirectories implements DirectoryWalk {

  private static final int AT_SYMLINK_NOFOLLOW = 0x100;
  private static final int STATX_BASIC_STATS = 0x7ff;

  /** {@code struct statx}, {@code linux/stat.h}, the same on every architecture. */
  private static final int STATX_BYTES = 256;

  private static final int STATX_UID = 20;
  private static final int STATX_GID = 24;
  private static final int STATX_MODE = 28;
  private static final int STATX_MTIME_SECONDS = 112;
  private static final int STATX_MTIME_NANOS = 120;

  /** {@code XATTR_LIST_MAX} and {@code XATTR_SIZE_MAX}, {@code linux/limits.h}. */
  private static final int XATTR_BYTES = 65_536;

  private static final MethodHandle OPENAT =
      Libc.bindVariadic("openat", 3, INT, INT, POINTER, INT, INT);
  private static final MethodHandle STATX =
      Libc.bind("statx", INT, INT, POINTER, INT, INT, POINTER);
  private static final MethodHandle FLISTXATTR = Libc.bind("flistxattr", LONG, INT, POINTER, LONG);
  private static final MethodHandle FGETXATTR =
      Libc.bind("fgetxattr", LONG, INT, POINTER, POINTER, LONG);

  @Override
  public Walked walk(Path root, Bytes path) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      Step step = new Step(root, path, arena);
      int directory = Linux.open(root, Linux.O_RDONLY | Linux.O_CLOEXEC);
      try {
        List<Attributes> found = new ArrayList<>();
        found.add(step.attributes(directory, step.stat(directory, Bytes.utf8("."))));
        for (Bytes name : names(path)) {
          int mode;
          try {
            mode = step.stat(directory, name);
          } catch (LinuxException e) {
            if (e.errno() == Errno.ENOENT || e.errno() == Errno.ENAMETOOLONG) {
              return new Walked(found, End.NOTHING);
            }
            throw e;
          }
          if (!FileType.DIRECTORY.of(mode)) {
            return new Walked(found, End.FILE);
          }
          int next = step.open(directory, name);
          Linux.close(directory);
          directory = next;
          found.add(step.attributes(directory, mode));
        }
        return new Walked(found, End.DIRECTORY);
      } finally {
        Linux.close(directory);
      }
    }
  }

  private static List<Bytes> names(Bytes path) {
    List<Bytes> names = new ArrayList<>();
    for (int from = 0; from < path.length(); ) {
      int slash = path.indexOf((byte) '/', from);
      int to = slash < 0 ? path.length() : slash;
      names.add(path.slice(from, to));
      from = to + 1;
    }
    return names;
  }

  /** The calls of one walk, with the memory that they fill. */
  private static final class Step {
    private final Path root;
    private final Bytes path;
    private final Arena arena;
    private final MemorySegment statx;
    private final MemorySegment list;
    private final MemorySegment value;

    Step(Path root, Bytes path, Arena arena) {
      this.root = root;
      this.path = path;
      this.arena = arena;
      this.statx = arena.allocate(STATX_BYTES, Long.BYTES);
      this.list = arena.allocate(XATTR_BYTES);
      this.value = arena.allocate(XATTR_BYTES);
    }

    /** Fills {@link #statx} with what a name of a directory is; its mode. */
    int stat(int directory, Bytes name) throws LinuxException {
      MemorySegment state = Libc.state();
      int result;
      try {
        result =
            (int)
                STATX.invokeExact(
                    state, directory, text(name), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, statx);
      } catch (Throwable e) {
        throw broken(e);
      }
      require(result, "statx", name, state);
      return Short.toUnsignedInt(statx.get(ValueLayout.JAVA_SHORT, STATX_MODE));
    }

    int open(int directory, Bytes name) throws LinuxException {
      MemorySegment state = Libc.state();
      int fd;
      try {
        fd =
            (int)
                OPENAT.invokeExact(
                    state, directory, text(name), Linux.O_RDONLY | Linux.O_CLOEXEC, 0);
      } catch (Throwable e) {
        throw broken(e);
      }
      require(fd, "openat", name, state);
      return fd;
    }

    /** What {@link #stat} found of this directory, and its xattrs. */
    Attributes attributes(int directory, int mode) throws LinuxException {
      return new Attributes(
          mode,
          Integer.toUnsignedLong(statx.get(INT, STATX_UID)),
          Integer.toUnsignedLong(statx.get(INT, STATX_GID)),
          statx.get(LONG, STATX_MTIME_SECONDS),
          statx.get(INT, STATX_MTIME_NANOS),
          xattrs(directory));
    }

    private SortedMap<Bytes, Bytes> xattrs(int directory) throws LinuxException {
      SortedMap<Bytes, Bytes> xattrs = new TreeMap<>();
      MemorySegment state = Libc.state();
      long bytes;
      try {
        bytes = (long) FLISTXATTR.invokeExact(state, directory, list, list.byteSize());
      } catch (Throwable e) {
        throw broken(e);
      }
      if (bytes < 0 && Libc.errno(state) == Errno.EOPNOTSUPP) {
        return xattrs;
      }
      require(bytes, "flistxattr", Bytes.EMPTY, state);
      for (long from = 0; from < bytes; ) {
        long end = from;
        while (list.get(JAVA_BYTE, end) != 0) {
          end++;
        }
        xattrs.put(copy(list, from, end - from), value(directory, list.asSlice(from)));
        from = end + 1;
      }
      return xattrs;
    }

    private Bytes value(int directory, MemorySegment name) throws LinuxException {
      MemorySegment state = Libc.state();
      long bytes;
      try {
        bytes = (long) FGETXATTR.invokeExact(state, directory, name, value, value.byteSize());
      } catch (Throwable e) {
        throw broken(e);
      }
      require(bytes, "fgetxattr", Bytes.EMPTY, state);
      return copy(value, 0, bytes);
    }

    private static Bytes copy(MemorySegment from, long offset, long length) {
      return Bytes.of(from.asSlice(offset, length).toArray(JAVA_BYTE));
    }

    private MemorySegment text(Bytes name) {
      MemorySegment text = arena.allocate(name.length() + 1L);
      MemorySegment.copy(name.toArray(), 0, text, JAVA_BYTE, 0, name.length());
      return text;
    }

    private void require(long result, String call, Bytes name, MemorySegment state)
        throws LinuxException {
      if (result < 0) {
        throw new LinuxException(
            "%s(%s) on the way to %s/%s".formatted(call, name, root, path), Libc.errno(state));
      }
    }
  }

  /** A handle throws only when it is called with other types than those it was bound with. */
  private static AssertionError broken(Throwable e) {
    return new AssertionError("downcall", e);
  }
}

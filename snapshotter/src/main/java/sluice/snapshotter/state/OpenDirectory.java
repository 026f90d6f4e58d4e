package sluice.snapshotter.state;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A directory by its descriptor, and a cursor over its entries. For one thread.
 *
 * <p>What a container writes can have paths that no system call takes (beyond {@code PATH_MAX}) and
 * names that are text in no encoding. So entries are named by their bytes, relative to the open
 * directory; no path is ever put together, and no link is followed.
 */
final class OpenDirectory implements AutoCloseable {

  /** Entries that are read at once; one has at most 280 bytes. */
  private static final int BUFFER_BYTES = 8192;

  // struct linux_dirent64 (include/linux/dirent.h)
  private static final int D_OFF = 8;
  private static final int D_RECLEN = 16;
  private static final int D_NAME = 19;

  // struct statx (include/uapi/linux/stat.h)
  private static final int STX_NLINK = 16;
  private static final int STX_MODE = 28;
  private static final int STX_INO = 32;
  private static final int STX_BLOCKS = 48;
  private static final int STX_DEV_MAJOR = 136;
  private static final int STX_DEV_MINOR = 140;

  private static final int S_IFMT = 0xf000;
  private static final int S_IFDIR = 0x4000;

  /** {@code stx_blocks} counts these, whatever the file system's own blocks are. */
  private static final int SECTOR_BYTES = 512;

  private final Arena arena = Arena.ofConfined();
  private final MemorySegment buffer = arena.allocate(BUFFER_BYTES, Long.BYTES);
  private final MemorySegment statx = arena.allocate(DirectoryCalls.STATX_BYTES, Long.BYTES);
  private final MemorySegment itself = arena.allocateFrom("");
  private final Path top;
  private final int fd;
  private int entry;
  private int next;
  private int end;

  /**
   * @param top what was opened by its path, for messages
   */
  private OpenDirectory(Path top, int fd) {
    this.top = top;
    this.fd = fd;
  }

  /**
   * What an entry is.
   *
   * @param device major and minor number of its file system
   * @param inode its number there
   * @param links how many names it has
   * @param occupiedBytes bytes of disk that it occupies: less than its size if it is sparse
   */
  record Status(long device, long inode, int links, boolean isDirectory, long occupiedBytes) {}

  /**
   * Opens a directory by its path.
   *
   * @throws NoSuchFileException if there is none
   */
  static OpenDirectory open(Path path) throws IOException {
    try (Arena naming = Arena.ofConfined()) {
      MemorySegment name = DirectoryCalls.path(naming, path);
      int fd = DirectoryCalls.open(DirectoryCalls.AT_FDCWD, name, 0);
      if (fd == -DirectoryCalls.ENOENT) {
        throw new NoSuchFileException(path.toString());
      }
      if (fd < 0) {
        throw new IOException(
            "%s cannot be opened: %s".formatted(path, DirectoryCalls.message(-fd)));
      }
      return new OpenDirectory(path, fd);
    }
  }

  /** Opens the directory of that name in this one; empty if there is none (any more). */
  Optional<OpenDirectory> open(MemorySegment name) throws IOException {
    int opened = DirectoryCalls.open(fd, name, DirectoryCalls.O_NOFOLLOW);
    return switch (-opened) {
      case DirectoryCalls.ENOENT, DirectoryCalls.ENOTDIR, DirectoryCalls.ELOOP -> Optional.empty();
      default -> Optional.of(new OpenDirectory(top, checked(opened, name, "opened")));
    };
  }

  /** Goes to the next entry; false if there are no more. */
  boolean next() throws IOException {
    do {
      if (next == end) {
        int read = DirectoryCalls.entries(fd, buffer);
        // A directory that was deleted meanwhile.
        end = read == -DirectoryCalls.ENOENT ? 0 : checked(read, itself, "read");
        next = 0;
        if (end == 0) {
          return false;
        }
      }
      entry = next;
      next += Short.toUnsignedInt(buffer.get(JAVA_SHORT_UNALIGNED, entry + D_RECLEN));
    } while (isDots(name()));
    return true;
  }

  private static boolean isDots(MemorySegment name) {
    if (name.get(JAVA_BYTE, 0) != '.') {
      return false;
    }
    byte second = name.get(JAVA_BYTE, 1);
    return second == 0 || (second == '.' && name.get(JAVA_BYTE, 2) == 0);
  }

  /** The entry's name, as long as the cursor stays there. */
  MemorySegment name() {
    return buffer.asSlice(entry + D_NAME, next - entry - D_NAME);
  }

  /** Where {@link #seek} goes on after this entry, also in the same directory opened again. */
  long position() {
    return buffer.get(JAVA_LONG_UNALIGNED, entry + D_OFF);
  }

  /** Goes before the first entry after {@code position}; before the first of all if it is 0. */
  void seek(long position) throws IOException {
    int ignored = checked(DirectoryCalls.seek(fd, position), itself, "read");
    next = 0;
    end = 0;
  }

  /** The status of an entry; empty if it is gone. */
  Optional<Status> status(MemorySegment name) throws IOException {
    int result = DirectoryCalls.statx(fd, name, statx);
    if (result == -DirectoryCalls.ENOENT) {
      return Optional.empty();
    }
    int ignored = checked(result, name, "looked at");
    long major = Integer.toUnsignedLong(statx.get(JAVA_INT, STX_DEV_MAJOR));
    return Optional.of(
        new Status(
            major << 32 | Integer.toUnsignedLong(statx.get(JAVA_INT, STX_DEV_MINOR)),
            statx.get(JAVA_LONG_UNALIGNED, STX_INO),
            statx.get(JAVA_INT, STX_NLINK),
            (statx.get(JAVA_SHORT_UNALIGNED, STX_MODE) & S_IFMT) == S_IFDIR,
            statx.get(JAVA_LONG_UNALIGNED, STX_BLOCKS) * SECTOR_BYTES));
  }

  /** The status of the directory itself. */
  Status status() throws IOException {
    return status(itself).orElseThrow(() -> failure(itself, "looked at", -DirectoryCalls.ENOENT));
  }

  /** Deletes a file; 0 or the negative errno. */
  int unlink(MemorySegment name) {
    return DirectoryCalls.unlink(fd, name, 0);
  }

  /** Deletes an empty directory; 0 or the negative errno. */
  int removeDirectory(MemorySegment name) {
    return DirectoryCalls.unlink(fd, name, DirectoryCalls.AT_REMOVEDIR);
  }

  /** Makes a directory; 0 or the negative errno. */
  int makeDirectory(MemorySegment name) {
    return DirectoryCalls.makeDirectory(fd, name);
  }

  /** Moves an entry into another directory; 0 or the negative errno. */
  int move(MemorySegment name, OpenDirectory to, MemorySegment newName) {
    return DirectoryCalls.rename(fd, name, to.fd, newName);
  }

  private int checked(int result, MemorySegment name, String what) throws IOException {
    if (result < 0) {
      throw failure(name, what, result);
    }
    return result;
  }

  /**
   * The failure of a call.
   *
   * @param result the negative errno that it answered
   */
  IOException failure(MemorySegment name, String what, int result) {
    return new IOException(
        "%s: below it, \"%s\" cannot be %s: %s"
            .formatted(top, shown(name), what, DirectoryCalls.message(-result)));
  }

  /** What of a name can be shown. */
  private static String shown(MemorySegment name) {
    return name.getString(0).replaceAll("\\p{Cntrl}", "?");
  }

  @Override
  public void close() {
    DirectoryCalls.close(fd);
    arena.close();
  }
}

package sluice.cache;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * What a file occupies on disk, holes not counted, which the JDK does not tell: {@code statx(2)},
 * whose {@code struct statx} is the same on each architecture.
 */
final class BlocksOnDisk {
  private static final int AT_FDCWD = -100;
  private static final int AT_SYMLINK_NOFOLLOW = 0x100;
  private static final int STATX_BLOCKS = 0x400;

  /** {@code stx_blocks} of {@code struct statx} (linux/stat.h), in units of 512 bytes. */
  private static final long BLOCKS_OFFSET = 48;

  private static final long STATX_BYTES = 256;
  private static final int BLOCK_BYTES = 512;
  private static final int ENOENT = 2;

  private static final MemoryLayout ERRNO = Linker.Option.captureStateLayout();
  private static final MethodHandle STATX = link();

  private BlocksOnDisk() {}

  // Linker.downcallHandle is restricted: the launcher allows native access, and the signature is
  // the one of statx(2).
  @SuppressWarnings("restricted")
  private static MethodHandle link() {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(
        linker.defaultLookup().findOrThrow("statx"),
        FunctionDescriptor.of(
            ValueLayout.JAVA_INT,
            ValueLayout.JAVA_INT,
            ValueLayout.ADDRESS,
            ValueLayout.JAVA_INT,
            ValueLayout.JAVA_INT,
            ValueLayout.ADDRESS),
        Linker.Option.captureCallState("errno"));
  }

  /** Bytes of the blocks of {@code file}. */
  static long of(Path file) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment errno = arena.allocate(ERRNO);
      MemorySegment path = arena.allocateFrom(file.toString());
      MemorySegment status = arena.allocate(STATX_BYTES, Long.BYTES);
      if (call(errno, path, status) != 0) {
        int code = errno.get(ValueLayout.JAVA_INT, 0);
        if (code == ENOENT) {
          throw new NoSuchFileException(file.toString());
        }
        throw new IOException("statx of %s: errno %d".formatted(file, code));
      }
      return status.get(ValueLayout.JAVA_LONG, BLOCKS_OFFSET) * BLOCK_BYTES;
    }
  }

  private static int call(MemorySegment errno, MemorySegment path, MemorySegment status) {
    try {
      return (int)
          STATX.invokeExact(errno, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BLOCKS, status);
    } catch (Throwable e) {
      throw new AssertionError("statx has that signature", e);
    }
  }
}

package sluice.snapshotter.state;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * How much of the disk a file occupies, which the Java platform does not tell: statx(2). A sparse
 * file of a terabyte in a container must not look like one, or kubelet evicts the pod.
 */
final class FileBlocks {

  /** {@code struct statx} (include/uapi/linux/stat.h), the same on every architecture. */
  private static final int STATX_BYTES = 256;

  private static final int STX_BLOCKS = 48;

  /** {@code stx_blocks} counts these, whatever the file system's own blocks are. */
  private static final int SECTOR_BYTES = 512;

  private static final int AT_FDCWD = -100;
  private static final int AT_SYMLINK_NOFOLLOW = 0x100;
  private static final int STATX_BLOCKS = 0x400;

  private static final Linker LINKER = Linker.nativeLinker();

  @SuppressWarnings("restricted") // a system call; the launcher enables native access
  private static final MethodHandle STATX =
      LINKER.downcallHandle(
          LINKER.defaultLookup().findOrThrow("statx"),
          FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, ADDRESS));

  private FileBlocks() {}

  /**
   * Bytes of disk that the file occupies.
   *
   * @throws NoSuchFileException if it cannot be looked at, which within a tree of our own only
   *     happens when it is gone
   */
  static long occupiedBytes(Path file) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      byte[] name = bytes(file);
      MemorySegment path = arena.allocate(name.length + 1L);
      MemorySegment.copy(name, 0, path, JAVA_BYTE, 0, name.length);
      MemorySegment statx = arena.allocate(STATX_BYTES, Long.BYTES);
      int status =
          (int) STATX.invokeExact(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BLOCKS, statx);
      if (status != 0) {
        throw new NoSuchFileException(file.toString());
      }
      return statx.get(JAVA_LONG_UNALIGNED, STX_BLOCKS) * SECTOR_BYTES;
    } catch (IOException | RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError("a downcall throws nothing that is checked", e);
    }
  }

  /**
   * The bytes of a path, which need not be text in any encoding: a path keeps them, and only its
   * URI shows them, as {@code %XX}.
   */
  static byte[] bytes(Path path) {
    byte[] uri = path.toUri().getRawPath().getBytes(StandardCharsets.US_ASCII);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(uri.length);
    for (int i = 0; i < uri.length; i++) {
      if (uri[i] == '%') {
        bytes.write(Character.digit(uri[i + 1], 16) << 4 | Character.digit(uri[i + 2], 16));
        i += 2;
      } else {
        bytes.write(uri[i]);
      }
    }
    return bytes.toByteArray();
  }
}

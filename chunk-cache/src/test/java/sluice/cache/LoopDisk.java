package sluice.cache;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.Closeable;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A small ext4 in a file, mounted by a loop device; closing it unmounts it. */
final class LoopDisk implements Closeable {

  /** {@code EXT4_IOC_SHUTDOWN} (fs/ext4/ext4.h). */
  private static final long SHUTDOWN = 0x8004587dL;

  /** {@code EXT4_GOING_FLAGS_NOLOGFLUSH}: what is not on the disk is lost. */
  private static final int NO_LOG_FLUSH = 2;

  private final Path image;
  private final Path mountPoint;

  LoopDisk(Path directory, long bytes) throws IOException {
    image = directory.resolve("image");
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(bytes);
    }
    run("mkfs.ext4", "-q", "-m", "0", image.toString());
    mountPoint = Files.createDirectory(directory.resolve("disk"));
    mount();
  }

  Path path() {
    return mountPoint;
  }

  void mount() throws IOException {
    run("mount", "-o", "loop", image.toString(), mountPoint.toString());
  }

  /** Loses the power: nothing is written any more, not even what the kernel has in memory. */
  void losePower() {
    Linker linker = Linker.nativeLinker();
    FunctionDescriptor ofOpen =
        FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT);
    FunctionDescriptor ofIoctl =
        FunctionDescriptor.of(
            ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.ADDRESS);
    FunctionDescriptor ofClose = FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment flags = arena.allocate(ValueLayout.JAVA_INT);
      flags.set(ValueLayout.JAVA_INT, 0, NO_LOG_FLUSH);
      MemorySegment path = arena.allocateFrom(mountPoint.toString());
      int fd = call(linker, "open", ofOpen, path, 0);
      assertThat(call(linker, "ioctl", ofIoctl, fd, SHUTDOWN, flags)).isZero();
      assertThat(call(linker, "close", ofClose, fd)).isZero();
    }
  }

  // Linker.downcallHandle is restricted: the tests allow native access, and these are libc's
  // signatures; ioctl's third argument is variadic.
  @SuppressWarnings("restricted")
  private static int call(
      Linker linker, String name, FunctionDescriptor signature, Object... arguments) {
    Linker.Option[] options =
        name.equals("ioctl")
            ? new Linker.Option[] {Linker.Option.firstVariadicArg(2)}
            : new Linker.Option[0];
    try {
      return (int)
          linker
              .downcallHandle(linker.defaultLookup().findOrThrow(name), signature, options)
              .invokeWithArguments(arguments);
    } catch (Throwable e) {
      throw new AssertionError(name, e);
    }
  }

  /** Unmounts. Maps of chunk tables in this process keep it busy until they are collected. */
  void unmount() throws IOException {
    for (int i = 0; i < 50 && tryRun("umount", mountPoint.toString()) != 0; i++) {
      System.gc();
      pause();
    }
    assertThat(Files.readString(Path.of("/proc/mounts"))).doesNotContain(mountPoint.toString());
  }

  @Override
  public void close() throws IOException {
    unmount();
  }

  private static void pause() {
    try {
      Thread.sleep(100);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UncheckedIOException(new IOException(e));
    }
  }

  private static void run(String... command) throws IOException {
    assertThat(tryRun(command)).as("%s", List.of(command)).isZero();
  }

  private static int tryRun(String... command) throws IOException {
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    return process.onExit().join().exitValue();
  }
}

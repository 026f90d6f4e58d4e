package sluice.erofs;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The kernel's view of an image: a file-backed EROFS mount, gone when it is closed. By fsconfig(2),
 * because mount(8) puts images on loop devices, and mount(2) takes 4095 bytes of options.
 */
@SuppressWarnings("restricted") // system calls have no other way out of Java
final class KernelMount implements AutoCloseable {

  /** Numbers of system calls that came after they were made the same on every architecture. */
  private static final int SYS_MOVE_MOUNT = 429;

  private static final int SYS_FSOPEN = 430;
  private static final int SYS_FSCONFIG = 431;
  private static final int SYS_FSMOUNT = 432;

  private static final int FSCONFIG_SET_FLAG = 0;
  private static final int FSCONFIG_SET_STRING = 1;
  private static final int FSCONFIG_CMD_CREATE = 6;
  private static final int MOVE_MOUNT_F_EMPTY_PATH = 4;
  private static final int AT_FDCWD = -100;

  private static final Linker LINKER = Linker.nativeLinker();
  private static final MethodHandle SYSCALL =
      LINKER.downcallHandle(
          LINKER.defaultLookup().find("syscall").orElseThrow(),
          FunctionDescriptor.of(
              JAVA_LONG, JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG));
  private static final MethodHandle CLOSE =
      LINKER.downcallHandle(
          LINKER.defaultLookup().find("close").orElseThrow(),
          FunctionDescriptor.of(JAVA_INT, JAVA_INT));

  private final Path target;

  private KernelMount(Path target) {
    this.target = target;
  }

  static KernelMount of(Path image, List<Path> devices) throws IOException {
    Path target = Files.createTempDirectory("erofs-mount");
    try (Arena arena = Arena.ofConfined()) {
      mount(arena, image, devices, target);
    } catch (RuntimeException | Error e) {
      Files.delete(target);
      throw e;
    }
    return new KernelMount(target);
  }

  private static void mount(Arena arena, Path image, List<Path> devices, Path target) {
    MemorySegment none = MemorySegment.NULL;
    // The first argument of fsopen is a pointer where the others have a number.
    long context =
        call("fsopen", SYS_FSOPEN, arena.allocateFrom("erofs").address(), none, none, none, 0);
    try {
      MemorySegment set = MemorySegment.ofAddress(FSCONFIG_SET_STRING);
      configure(context, set, arena.allocateFrom("source"), arena.allocateFrom(image.toString()));
      MemorySegment device = arena.allocateFrom("device");
      for (Path path : devices) {
        configure(context, set, device, arena.allocateFrom(path.toString()));
      }
      configure(
          context, MemorySegment.ofAddress(FSCONFIG_SET_FLAG), arena.allocateFrom("ro"), none);
      configure(context, MemorySegment.ofAddress(FSCONFIG_CMD_CREATE), none, none);
      long mount = call("fsmount", SYS_FSMOUNT, context, none, none, none, 0);
      try {
        call(
            "move_mount",
            SYS_MOVE_MOUNT,
            mount,
            arena.allocateFrom(""),
            MemorySegment.ofAddress(AT_FDCWD),
            arena.allocateFrom(target.toString()),
            MOVE_MOUNT_F_EMPTY_PATH);
      } finally {
        closeDescriptor(mount);
      }
    } finally {
      closeDescriptor(context);
    }
  }

  private static void configure(
      long context, MemorySegment command, MemorySegment key, MemorySegment value) {
    call("fsconfig", SYS_FSCONFIG, context, command, key, value, 0);
  }

  private static long call(
      String name,
      int number,
      long first,
      MemorySegment second,
      MemorySegment third,
      MemorySegment fourth,
      long fifth) {
    long result;
    try {
      result = (long) SYSCALL.invokeExact((long) number, first, second, third, fourth, fifth);
    } catch (Throwable e) {
      throw new AssertionError(name, e);
    }
    if (result < 0) {
      throw new AssertionError(name + " failed; the kernel's log says why");
    }
    return result;
  }

  private static void closeDescriptor(long descriptor) {
    try {
      var _ = (int) CLOSE.invokeExact((int) descriptor);
    } catch (Throwable e) {
      throw new AssertionError("close", e);
    }
  }

  Path target() {
    return target;
  }

  @Override
  public void close() {
    try {
      Commands.run("umount", target.toString());
      Files.delete(target);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted while unmounting " + target, e);
    }
  }
}

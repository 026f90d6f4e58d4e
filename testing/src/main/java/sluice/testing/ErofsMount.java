package sluice.testing;

import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;

/**
 * An EROFS image as the kernel mounts it, straight from files, read-only. By fsconfig(2), because
 * mount(8) puts images on loop devices, and mount(2) takes no more than 4095 bytes of options.
 * Closing it unmounts. Needs root and Linux 6.12.
 */
public final class ErofsMount implements Closeable {

  /** System calls of this age have the same number on every architecture. */
  private static final int SYS_MOVE_MOUNT = 429;

  private static final int SYS_FSOPEN = 430;
  private static final int SYS_FSCONFIG = 431;
  private static final int SYS_FSMOUNT = 432;

  private static final int FSCONFIG_SET_FLAG = 0;
  private static final int FSCONFIG_SET_STRING = 1;
  private static final int FSCONFIG_CMD_CREATE = 6;
  private static final int MOVE_MOUNT_F_EMPTY_PATH = 4;
  private static final int AT_FDCWD = -100;

  private final Path target;

  private ErofsMount(Path target) {
    this.target = target;
  }

  /**
   * Mounts an image.
   *
   * @param devices one file for each slot of its device table
   * @param target an existing directory
   */
  public static ErofsMount of(Path image, List<Path> devices, Path target) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      new Calls(arena, target).mount(image, devices);
    }
    return new ErofsMount(target);
  }

  @Override
  public void close() throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      Linux.umount(arena.allocateFrom(target.toString()));
    }
  }

  /** The calls that one mount takes, which share their strings. */
  private record Calls(Arena arena, Path target) {

    void mount(Path image, List<Path> devices) throws IOException {
      long context = call("fsopen", SYS_FSOPEN, text("erofs"), 0, 0, 0, 0);
      try {
        set(context, "source", image);
        for (Path device : devices) {
          set(context, "device", device);
        }
        call("fsconfig ro", SYS_FSCONFIG, context, FSCONFIG_SET_FLAG, text("ro"), 0, 0);
        call("fsconfig create " + image, SYS_FSCONFIG, context, FSCONFIG_CMD_CREATE, 0, 0, 0);
        long mount = call("fsmount", SYS_FSMOUNT, context, 0, 0, 0, 0);
        try {
          call(
              "move_mount " + target,
              SYS_MOVE_MOUNT,
              mount,
              text(""),
              AT_FDCWD,
              text(target.toString()),
              MOVE_MOUNT_F_EMPTY_PATH);
        } finally {
          close(mount);
        }
      } finally {
        close(context);
      }
    }

    private void set(long context, String key, Path value) throws IOException {
      call(
          "fsconfig " + key + "=" + value,
          SYS_FSCONFIG,
          context,
          FSCONFIG_SET_STRING,
          text(key),
          text(value.toString()),
          0);
    }

    private long text(String text) {
      return arena.allocateFrom(text).address();
    }

    private long call(
        String what, int number, long first, long second, long third, long fourth, long fifth)
        throws IOException {
      MemorySegment name = arena.allocateFrom(what);
      return Linux.syscall(name, number, first, second, third, fourth, fifth);
    }

    private void close(long descriptor) throws IOException {
      Linux.close((int) descriptor, arena.allocateFrom("a descriptor of the mount"));
    }
  }
}

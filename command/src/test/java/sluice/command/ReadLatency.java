package sluice.command;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Random;

/**
 * Reads 4 KiB at random places of a file past the page cache, in a process of its own, and prints
 * the 99th percentile of each window in nanoseconds, a line for each.
 */
final class ReadLatency {

  private static final int BLOCK = 4096;
  private static final int READS = 1000;
  static final int WINDOWS = 7;

  private ReadLatency() {}

  public static void main(String[] args) throws IOException, ClassNotFoundException {
    Random random = new Random(1);
    ByteBuffer buffer = ByteBuffer.allocateDirect(2 * BLOCK).alignedSlice(BLOCK).limit(BLOCK);
    try (FileChannel file = FileChannel.open(Path.of(args[0]), StandardOpenOption.READ, direct())) {
      int blocks = Math.toIntExact(file.size() / BLOCK);
      // The first window is for the compiler, here and in the daemon.
      for (int window = 0; window <= WINDOWS; window++) {
        long[] nanos = new long[READS];
        for (int read = 0; read < READS; read++) {
          long start = System.nanoTime();
          int bytes = file.read(buffer.clear().limit(BLOCK), (long) random.nextInt(blocks) * BLOCK);
          nanos[read] = System.nanoTime() - start;
          if (bytes != BLOCK) {
            throw new IOException("short read of " + bytes);
          }
        }
        Arrays.sort(nanos);
        if (window > 0) {
          System.out.println(nanos[READS * 99 / 100]);
        }
      }
    }
  }

  /** O_DIRECT; the compiler warns of every use of the JDK's own name for it. */
  private static OpenOption direct() throws ClassNotFoundException {
    Object[] options = Class.forName("com.sun.nio.file.ExtendedOpenOption").getEnumConstants();
    return Arrays.stream(options)
        .filter(option -> option.toString().equals("DIRECT"))
        .map(OpenOption.class::cast)
        .findFirst()
        .orElseThrow();
  }
}

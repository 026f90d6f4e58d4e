package sluice.benchmarks;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import sluice.linux.Linux;
import sluice.linux.LinuxException;

/** How long reads took, window by window. For one thread. */
final class Latencies {

  private static final int BLOCK_BYTES = 4096;
  private static final int READS = 5000;

  /** {@code O_DIRECT} of x86-64; arm64 has another value (fcntl-linux.h, asm/fcntl.h). */
  private static final int O_DIRECT =
      System.getProperty("os.arch").equals("aarch64") ? 0x10000 : 0x4000;

  /** The sorted latencies of each window, in nanoseconds. */
  private final List<long[]> windows = new ArrayList<>();

  /** Reads blocks at random, past the page cache of the file. */
  void measure(Path file, Random random) throws IOException {
    long blocks = Files.size(file) / BLOCK_BYTES;
    long[] nanos = new long[READS];
    int fd = Linux.open(file, Linux.O_RDONLY | Linux.O_CLOEXEC | O_DIRECT);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment block = arena.allocate(BLOCK_BYTES, BLOCK_BYTES);
      for (int i = 0; i < READS; i++) {
        long offset = random.nextLong(blocks) * BLOCK_BYTES;
        long began = System.nanoTime();
        long count = Linux.pread(fd, block, BLOCK_BYTES, offset);
        nanos[i] = System.nanoTime() - began;
        if (count != BLOCK_BYTES) {
          throw new LinuxException("pread(%s, offset %d)".formatted(file, offset), (int) -count);
        }
      }
    } finally {
      Linux.close(fd);
    }
    Arrays.sort(nanos);
    windows.add(nanos);
  }

  /** Forgets everything: what was measured so far was to warm up. */
  void clear() {
    windows.clear();
  }

  /** The median over the windows of a percentile, in nanoseconds. */
  double median(int percentile) {
    long[] each =
        windows.stream().mapToLong(window -> window[READS * percentile / 100]).sorted().toArray();
    int half = each.length / 2;
    return each.length % 2 == 1 ? each[half] : (each[half - 1] + each[half]) / 2.0;
  }
}

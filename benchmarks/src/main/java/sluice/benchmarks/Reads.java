package sluice.benchmarks;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.zip.CRC32C;
import sluice.linux.Linux;
import sluice.linux.LinuxException;

/**
 * What a program does with files, without what Java's own file API would add: open(2), pread(2) and
 * close(2). Never on a directory that this process serves.
 */
final class Reads {

  private static final int BLOCK_BYTES = 4096;
  private static final int SEQUENTIAL_BYTES = 1 << 20;
  private static final int RANDOM_THREADS = 8;
  private static final int RANDOM_READS_PER_THREAD = 4000;

  private Reads() {}

  /**
   * Reads all small files once.
   *
   * @return the seconds it took
   */
  static double small(List<Path> files) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(SampleTree.SMALL_BYTES, BLOCK_BYTES);
      long began = System.nanoTime();
      for (Path file : files) {
        int fd = Linux.open(file, Linux.O_RDONLY | Linux.O_CLOEXEC);
        try {
          readFully(file, fd, buffer, 0);
        } finally {
          Linux.close(fd);
        }
      }
      return secondsSince(began);
    }
  }

  /**
   * Reads a file from beginning to end.
   *
   * @return bytes per second
   */
  static double sequential(Path file, long sizeBytes) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(SEQUENTIAL_BYTES, BLOCK_BYTES);
      int fd = Linux.open(file, Linux.O_RDONLY | Linux.O_CLOEXEC);
      try {
        long began = System.nanoTime();
        for (long at = 0; at < sizeBytes; at += SEQUENTIAL_BYTES) {
          readFully(file, fd, buffer, at);
        }
        return sizeBytes / secondsSince(began);
      } finally {
        Linux.close(fd);
      }
    }
  }

  /**
   * Reads blocks at random from 8 threads, each with the file open for itself.
   *
   * @return reads per second, of all threads together
   */
  static double random(Path file, long sizeBytes, long seed)
      throws IOException, InterruptedException {
    List<Callable<Void>> readers = new ArrayList<>();
    for (int i = 0; i < RANDOM_THREADS; i++) {
      Random random = new Random(seed + i);
      readers.add(() -> {
        randomOfOneThread(file, sizeBytes, random);
        return null;
      });
    }
    try (ExecutorService threads = Executors.newFixedThreadPool(RANDOM_THREADS)) {
      long began = System.nanoTime();
      for (Future<Void> reader : threads.invokeAll(readers)) {
        reader.get();
      }
      return RANDOM_THREADS * RANDOM_READS_PER_THREAD / secondsSince(began);
    } catch (ExecutionException e) {
      throw new IOException("random reads of " + file, e.getCause());
    }
  }

  private static void randomOfOneThread(Path file, long sizeBytes, Random random)
      throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(BLOCK_BYTES, BLOCK_BYTES);
      int fd = Linux.open(file, Linux.O_RDONLY | Linux.O_CLOEXEC);
      try {
        for (int i = 0; i < RANDOM_READS_PER_THREAD; i++) {
          readFully(file, fd, buffer, random.nextLong(sizeBytes / BLOCK_BYTES) * BLOCK_BYTES);
        }
      } finally {
        Linux.close(fd);
      }
    }
  }

  /** A checksum over the content of all files, to see that two targets hold the same. */
  static long checksum(List<Path> files, Path large, long largeBytes) throws IOException {
    CRC32C checksum = new CRC32C();
    for (Path file : files) {
      update(checksum, file, SampleTree.SMALL_BYTES);
    }
    update(checksum, large, largeBytes);
    return checksum.getValue();
  }

  private static void update(CRC32C checksum, Path file, long sizeBytes) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(Math.min(sizeBytes, SEQUENTIAL_BYTES));
      ByteBuffer bytes = buffer.asByteBuffer();
      int fd = Linux.open(file, Linux.O_RDONLY | Linux.O_CLOEXEC);
      try {
        for (long at = 0; at < sizeBytes; at += buffer.byteSize()) {
          readFully(file, fd, buffer, at);
          checksum.update(bytes.rewind());
        }
      } finally {
        Linux.close(fd);
      }
    }
  }

  private static void readFully(Path file, int fd, MemorySegment buffer, long offset)
      throws IOException {
    long length = buffer.byteSize();
    long count = Linux.pread(fd, buffer, length, offset);
    if (count < 0) {
      throw new LinuxException("pread(%s, offset %d)".formatted(file, offset), (int) -count);
    }
    if (count != length) {
      throw new EOFException(
          "%s: %d bytes at offset %d, expected %d".formatted(file, count, offset, length));
    }
  }

  private static double secondsSince(long began) {
    return (System.nanoTime() - began) / 1e9;
  }
}

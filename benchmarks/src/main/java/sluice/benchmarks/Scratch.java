package sluice.benchmarks;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.stream.Stream;

/**
 * The directory of one run, gone afterwards with everything that was mounted in it, also when the
 * process gets a signal. Safe for use by many threads.
 */
final class Scratch implements Closeable {

  /** The benchmark may still write while a signal has it deleted; it ends soon. */
  private static final int DELETE_ATTEMPTS = 50;

  private static final long DELETE_PAUSE_MILLIS = 100;

  private final Path directory;

  /** What ends before the directory does, last first. Guarded by this. */
  private final Deque<Closeable> owned = new ArrayDeque<>();

  /** Guarded by this. */
  private boolean closed;

  private Scratch(Path directory) {
    this.directory = directory;
  }

  /**
   * Makes a new directory in {@code parent}. A signal interrupts the calling thread, and deletes
   * it.
   */
  static Scratch create(Path parent) throws IOException {
    Scratch scratch = new Scratch(Files.createTempDirectory(parent, "sluice-benchmark-"));
    Thread benchmark = Thread.currentThread();
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  benchmark.interrupt();
                  scratch.closeAtExit();
                },
                "benchmark-cleanup"));
    return scratch;
  }

  Path resolve(String name) {
    return directory.resolve(name);
  }

  /** Starts a process that serves what lies in a directory of that name here. */
  synchronized ServerProcess serve(String name) throws IOException {
    if (closed) {
      throw new IOException(directory + " is being deleted");
    }
    ServerProcess server = ServerProcess.start(Files.createDirectories(resolve(name)));
    owned.push(server);
    return server;
  }

  private void closeAtExit() {
    try {
      close();
    } catch (IOException e) {
      System.err.println("benchmark: cannot clean up: " + e);
    }
  }

  @Override
  public synchronized void close() throws IOException {
    if (closed) {
      return;
    }
    closed = true;
    while (!owned.isEmpty()) {
      owned.pop().close();
    }
    for (int attempt = 1; ; attempt++) {
      try {
        delete();
        return;
      } catch (DirectoryNotEmptyException e) {
        if (attempt == DELETE_ATTEMPTS) {
          throw e;
        }
        pause();
      }
    }
  }

  private void delete() throws IOException {
    List<Path> paths;
    try (Stream<Path> walk = Files.walk(directory)) {
      paths = walk.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path path : paths) {
      Files.deleteIfExists(path);
    }
  }

  private static void pause() {
    try {
      Thread.sleep(DELETE_PAUSE_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}

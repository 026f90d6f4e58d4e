package sluice.snapshotter.image;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;

/**
 * Trees of variants that were compared with the layers in whose place they are shown: a file with a
 * line for each. Without it they are compared once more. Safe for use by many threads.
 */
final class ComparedVariants {

  private final Path file;
  private final Set<String> keys;

  /** Guards the keys, and the writing of the file. */
  private final ReentrantLock lock = new ReentrantLock();

  private ComparedVariants(Path file, Set<String> keys) {
    this.file = file;
    this.keys = keys;
  }

  /** Reads the file, or begins with none. */
  static ComparedVariants open(Path file) throws IOException {
    Set<String> keys = new TreeSet<>();
    if (Files.exists(file)) {
      keys.addAll(Files.readAllLines(file));
    }
    return new ComparedVariants(file, keys);
  }

  boolean contains(LayerKey key) {
    lock.lock();
    try {
      return keys.contains(key.toString());
    } finally {
      lock.unlock();
    }
  }

  /** Kept on disk when this returns. */
  void add(LayerKey key) throws IOException {
    lock.lock();
    try {
      keys.add(key.toString());
      Path next = file.resolveSibling(file.getFileName() + ".new");
      Files.writeString(next, keys.stream().collect(Collectors.joining("\n", "", "\n")), UTF_8);
      DurableFiles.sync(next);
      DurableFiles.publish(next, file);
    } finally {
      lock.unlock();
    }
  }
}

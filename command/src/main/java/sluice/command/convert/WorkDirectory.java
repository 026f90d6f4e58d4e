package sluice.command.convert;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A directory for one piece of work, deleted when it is closed. If the process gets a signal first,
 * the thread that made the directory is interrupted, so that it closes it.
 */
public final class WorkDirectory implements Closeable {

  private static final Logger LOG = LoggerFactory.getLogger(WorkDirectory.class);

  /** How long a signal waits for the work to end; then the files are deleted below its feet. */
  private static final long STOP_SECONDS = 5;

  private final Path path;
  private final Thread worker = Thread.currentThread();
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread hook = new Thread(this::stop, "delete work directory");

  private WorkDirectory(Path path) {
    this.path = path;
  }

  /**
   * Makes a directory in {@code parent}, for the calling thread.
   *
   * @throws NoSuchFileException if there is no directory {@code parent}
   */
  public static WorkDirectory create(Path parent) throws IOException {
    if (!Files.isDirectory(parent)) {
      throw new NoSuchFileException(parent.toString());
    }
    WorkDirectory work = new WorkDirectory(Files.createTempDirectory(parent, "sluice-work-"));
    Runtime.getRuntime().addShutdownHook(work.hook);
    return work;
  }

  /** Where it is. */
  public Path path() {
    return path;
  }

  @Override
  public void close() throws IOException {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      LOG.debug("{} is deleted while the process ends", path);
    }
    try {
      delete();
    } finally {
      closed.countDown();
    }
  }

  private void stop() {
    worker.interrupt();
    try {
      if (!closed.await(STOP_SECONDS, TimeUnit.SECONDS)) {
        delete();
      }
    } catch (IOException e) {
      LOG.warn("{} is left behind: {}", path, e.toString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void delete() throws IOException {
    List<Path> deepestFirst;
    try (Stream<Path> tree = Files.walk(path)) {
      deepestFirst = tree.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path each : deepestFirst) {
      Files.deleteIfExists(each);
    }
  }
}

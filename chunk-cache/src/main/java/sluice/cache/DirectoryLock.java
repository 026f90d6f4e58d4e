package sluice.cache;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a directory for one process. The kernel ends the lock with the process, however it dies.
 */
final class DirectoryLock implements Closeable {
  private final FileChannel file;

  private DirectoryLock(FileChannel file) {
    this.file = file;
  }

  /**
   * @throws IOException if another one has the directory, naming its process
   */
  static DirectoryLock acquire(Path directory) throws IOException {
    Path path = directory.resolve("lock");
    FileChannel file = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      if (tryLock(file) == null) {
        throw new IOException(
            "cache directory %s is in use by process %s: stop that one, or choose another directory"
                .formatted(directory, Files.readString(path).strip()));
      }
      file.truncate(0);
      String pid = Long.toString(ProcessHandle.current().pid());
      Disk.write(file, ByteBuffer.wrap(pid.getBytes(StandardCharsets.US_ASCII)), 0);
      return new DirectoryLock(file);
    } catch (IOException e) {
      file.close();
      throw e;
    }
  }

  private static @Nullable FileLock tryLock(FileChannel file) throws IOException {
    try {
      return file.tryLock();
    } catch (OverlappingFileLockException e) {
      // This very process has it.
      return null;
    }
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}

package sluice.snapshotter.store;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Keeps the root directory for one daemon: a POSIX lock on its file {@code lock}, which the kernel
 * releases when the process ends, however it ends. The file holds the process id, for people.
 */
public final class RootLock implements Closeable {

  /**
   * The files that this process has locked. A process loses its POSIX locks on a file when it
   * closes <em>any</em> descriptor of it, so a locked file is not opened a second time.
   */
  private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

  private final Path file;
  private final FileChannel channel;

  private RootLock(Path file, FileChannel channel) {
    this.file = file;
    this.channel = channel;
  }

  /**
   * Takes the lock; closing gives it back.
   *
   * @param root an existing directory
   * @throws IOException if somebody else has it; the message names that process
   */
  public static RootLock take(Path root) throws IOException {
    Path file = root.toRealPath().resolve("lock");
    if (!HELD.add(file)) {
      throw inUse(root, "this one");
    }
    try {
      return new RootLock(file, lock(root, file));
    } catch (IOException e) {
      HELD.remove(file);
      throw e;
    }
  }

  private static FileChannel lock(Path root, Path file) throws IOException {
    FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    try {
      if (channel.tryLock() == null) {
        throw inUse(root, Files.readString(file).strip());
      }
      channel.truncate(0);
      String pid = ProcessHandle.current().pid() + "\n";
      channel.write(ByteBuffer.wrap(pid.getBytes(StandardCharsets.US_ASCII)));
      return channel;
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  private static IOException inUse(Path root, String process) {
    return new IOException(
        "root directory %s is in use by another Sluice (process %s); give this one another root, or stop that one"
            .formatted(root, process));
  }

  @Override
  public void close() throws IOException {
    channel.close();
    HELD.remove(file);
  }
}

package sluice.formats.soci;

import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A file without a name, which is gone when it is closed, or with the process. For one thread at a
 * time.
 */
final class Spool implements Closeable {

  private final FileChannel file;

  private Spool(FileChannel file) {
    this.file = file;
  }

  /** Makes an empty one on the disk of {@code directory}. */
  static Spool in(Path directory) throws IOException {
    Path name = Files.createTempFile(directory, OwnIndexes.UNFINISHED, "");
    try {
      return new Spool(FileChannel.open(name, StandardOpenOption.READ, StandardOpenOption.WRITE));
    } finally {
      Files.delete(name);
    }
  }

  FileChannel file() {
    return file;
  }

  /** Adds bytes behind the others. */
  void append(byte[] bytes, int offset, int length) throws IOException {
    ByteBuffer rest = ByteBuffer.wrap(bytes, offset, length);
    while (rest.hasRemaining()) {
      file.write(rest);
    }
  }

  /** All of it, until {@code arena} is closed. */
  MemorySegment map(Arena arena) throws IOException {
    return file.map(FileChannel.MapMode.READ_ONLY, 0, file.size(), arena);
  }

  /** Gives the room on the disk back. */
  void empty() throws IOException {
    file.truncate(0);
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}

package sluice.cache;

import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** What the JDK's file API leaves to be done by hand. */
final class Disk {

  /**
   * What one write hands to the kernel: the JDK copies a heap buffer into a direct one of its
   * thread, and keeps that.
   */
  private static final int WRITE_BYTES = 256 << 10;

  private Disk() {}

  /** Writes all that remains of {@code from} and returns how much that was. */
  static int write(FileChannel file, ByteBuffer from, long offset) throws IOException {
    int length = from.remaining();
    int end = from.limit();
    long at = offset;
    while (from.position() < end) {
      from.limit(Math.min(end, from.position() + WRITE_BYTES));
      at += file.write(from, at);
    }
    return length;
  }

  /**
   * Fills {@code into}.
   *
   * @throws EOFException if the file ends before
   */
  static void read(FileChannel file, ByteBuffer into, long offset) throws IOException {
    long at = offset;
    while (into.hasRemaining()) {
      int count = file.read(into, at);
      if (count < 0) {
        throw new EOFException("file ends at " + at + ", read from " + offset);
      }
      at += count;
    }
  }

  /** Writes zeros over what is not zero, and returns how much that was: holes stay holes. */
  static long zero(FileChannel file, long offset, long length) throws IOException {
    ByteBuffer piece = ByteBuffer.allocate((int) Math.min(WRITE_BYTES, length));
    ByteBuffer zeros = ByteBuffer.allocate(piece.capacity());
    long written = 0;
    for (long done = 0; done < length; done += piece.limit()) {
      piece.clear().limit((int) Math.min(WRITE_BYTES, length - done));
      read(file, piece, offset + done);
      if (piece.flip().mismatch(zeros.clear().limit(piece.limit())) >= 0) {
        written += write(file, zeros, offset + done);
      }
    }
    return written;
  }

  /** Makes the names in a directory survive a power loss. */
  static void syncDirectory(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  /** Replaces a small file so that it has either the old lines or the new ones, always. */
  static void replace(Path file, List<String> lines) throws IOException {
    Path fresh = file.resolveSibling(file.getFileName() + ".new");
    Files.write(fresh, lines);
    try (FileChannel channel = FileChannel.open(fresh, StandardOpenOption.WRITE)) {
      channel.force(true);
    }
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
  }

  /** Deletes a directory with what is in it; nothing if there is none. */
  static void deleteTree(Path directory) throws IOException {
    try (Stream<Path> paths = Files.walk(directory)) {
      for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    } catch (NoSuchFileException e) {
      // It is gone, which is what was asked for.
      return;
    } catch (UncheckedIOException e) {
      throw new IOException("cannot delete " + directory, e);
    }
  }
}

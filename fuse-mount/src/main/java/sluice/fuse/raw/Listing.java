package sluice.fuse.raw;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import sluice.core.Bytes;
import sluice.fuse.ReadOnlyFileSystem;

/** Fills one answer to READDIR or READDIRPLUS. For one thread, once. */
final class Listing {

  private final ReadOnlyFileSystem files;
  private final long directory;
  private final MemorySegment room;
  private final long attrSeconds;
  private final long entrySeconds;
  private long filled;

  /**
   * @param room where the entries go, as many as fit
   * @param lastingSeconds how long the kernel may keep what never changes
   */
  Listing(ReadOnlyFileSystem files, long directory, MemorySegment room, long lastingSeconds) {
    this.files = files;
    this.directory = directory;
    this.room = room;
    this.attrSeconds = lastingSeconds;
    this.entrySeconds = files.lasting(directory) ? lastingSeconds : 0;
  }

  /** {@code struct fuse_dirent}s; the number of bytes, 0 at the end of the directory. */
  long plain(long cookie) throws IOException {
    files.list(
        directory,
        cookie,
        (next, node, ino, type, name) -> {
          if (filled + Dirent.bytes(name) > room.byteSize()) {
            return false;
          }
          entry(ino, next, type, name);
          return true;
        });
    return filled;
  }

  /**
   * {@code struct fuse_direntplus}es; the number of bytes. Each counts a reference to its node, but
   * for "." and "..", which the kernel does not take.
   */
  long withAttributes(long cookie) throws IOException {
    files.list(
        directory,
        cookie,
        (next, node, ino, type, name) -> {
          if (filled + EntryOut.BYTES + Dirent.bytes(name) > room.byteSize()) {
            return false;
          }
          if (isDots(name) || !files.retain(node)) {
            EntryOut.writeNone(room, filled, 0);
          } else {
            attributes(node);
          }
          filled += EntryOut.BYTES;
          entry(ino, next, type, name);
          return true;
        });
    return filled;
  }

  private void attributes(long node) throws IOException {
    try {
      EntryOut.write(room, filled, node, entrySeconds, attrSeconds, files.attributes(node));
    } catch (IOException | RuntimeException e) {
      files.forget(node, 1);
      throw e;
    }
  }

  private void entry(long ino, long cookie, int type, Bytes name) {
    Dirent.write(room, filled, ino, cookie, type, name);
    filled += Dirent.bytes(name);
  }

  private static boolean isDots(Bytes name) {
    return name.length() <= 2 && name.at(0) == '.' && (name.length() == 1 || name.at(1) == '.');
  }
}

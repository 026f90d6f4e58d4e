package sluice.erofs;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import sluice.core.Bytes;

/**
 * The port to directories on local disk that layers were unpacked into: names are bytes there, and
 * what a directory looks like is more than Java can ask. Safe for use by many threads.
 */
@FunctionalInterface
public interface DirectoryWalk {

  /**
   * Walks down a path as far as it leads through directories; follows no symlink.
   *
   * @param root where the walk begins, a directory
   * @param path clean, below {@code root}; the empty path is the root itself
   * @throws IOException if {@code root} is not there, or cannot be read
   */
  Walked walk(Path root, Bytes path) throws IOException;

  /**
   * How far the walk came.
   *
   * @param directories the directories on the way, the root first, with all their xattrs
   * @param end why it came no further
   */
  record Walked(List<Attributes> directories, End end) {
    public Walked {
      directories = List.copyOf(directories);
    }
  }

  /** What a walk ends at. */
  enum End {
    /** The path itself, which is a directory: the last of {@link Walked#directories}. */
    DIRECTORY,
    /** Something that is no directory; a whiteout is such a thing. */
    FILE,
    /** A name that is not there. */
    NOTHING
  }
}

package sluice.snapshotter.state;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/**
 * Counts what a tree occupies on disk, each inode once, however many links it has. A sparse file of
 * a terabyte must not look like one, or kubelet evicts the pod.
 *
 * <p>A container may write the tree meanwhile, and may have made it as deep and as wide as the disk
 * allows. The upper levels are open all at once, so that it does not matter what moves. Below, only
 * one directory is open: the way down is a name, the way up is {@code ..}, and of each level are
 * kept its inode and how far it was counted. Where {@code ..} is not what it was, somebody moved
 * the directory; then the rest of that branch is left out.
 */
final class DiskUsage {

  /** Levels that are open at once. */
  private static final int MAX_OPEN = 64;

  /**
   * Levels of a branch. A path that a program can name has 2,048 at most (PATH_MAX, "a/"); this
   * bounds the memory of the count, 32 bytes a level.
   */
  private static final int MAX_LEVELS = 1_000_000;

  /**
   * A directory to come back to.
   *
   * @param position of the last entry that was counted
   */
  private record Level(long inode, long position) {}

  private record Inode(long device, long number) {}

  private final Path tree;
  private final MemorySegment parent;
  private final Set<Inode> linked = new HashSet<>();
  private long bytes;
  private long inodes;

  private DiskUsage(Path tree, MemorySegment parent) {
    this.tree = tree;
    this.parent = parent;
  }

  /**
   * What {@code tree} occupies; nothing if it is not there.
   *
   * @throws IOException if it cannot be read, or is deeper than a million levels
   */
  static Usage of(Path tree) throws IOException {
    try (Arena arena = Arena.ofConfined();
        OpenDirectory top = OpenDirectory.open(tree)) {
      DiskUsage count = new DiskUsage(tree, arena.allocateFrom(".."));
      count.add(top.status());
      count.below(top, 1);
      return new Usage(count.bytes, count.inodes);
    } catch (NoSuchFileException e) {
      return Usage.NONE;
    }
  }

  /** Counts what lies below a directory that is {@code levels} deep. */
  private void below(OpenDirectory directory, int levels) throws IOException {
    while (directory.next()) {
      if (!addEntry(directory)) {
        continue;
      }
      Optional<OpenDirectory> child = directory.open(directory.name());
      if (child.isEmpty()) {
        continue;
      }
      if (levels == MAX_OPEN) {
        deepBelow(child.get());
        continue;
      }
      try (OpenDirectory open = child.get()) {
        below(open, levels + 1);
      }
    }
  }

  /** As {@link #below}, with one directory open; takes over {@code first} and closes it. */
  private void deepBelow(OpenDirectory first) throws IOException {
    Deque<Level> above = new ArrayDeque<>();
    OpenDirectory current = first;
    try {
      while (true) {
        Optional<OpenDirectory> next = down(current, above);
        if (next.isEmpty()) {
          if (above.isEmpty()) {
            return;
          }
          next = up(current, above.pop());
          if (next.isEmpty()) {
            return;
          }
        }
        current.close();
        current = next.get();
      }
    } finally {
      current.close();
    }
  }

  /** Counts entries up to the next directory and opens that; empty if there are no more. */
  private Optional<OpenDirectory> down(OpenDirectory current, Deque<Level> above)
      throws IOException {
    while (current.next()) {
      if (!addEntry(current)) {
        continue;
      }
      Optional<OpenDirectory> child = current.open(current.name());
      if (child.isPresent()) {
        if (above.size() == MAX_LEVELS) {
          child.get().close();
          throw new IOException(
              "%s cannot be counted: directories lie more than %d levels deep in it"
                  .formatted(tree, MAX_LEVELS));
        }
        above.push(new Level(current.status().inode(), current.position()));
        return child;
      }
    }
    return Optional.empty();
  }

  /** Opens the parent where it was left; empty if that is another directory now. */
  private Optional<OpenDirectory> up(OpenDirectory current, Level level) throws IOException {
    Optional<OpenDirectory> opened = current.open(parent);
    if (opened.isEmpty()) {
      return opened;
    }
    boolean same = false;
    try {
      same = opened.get().status().inode() == level.inode();
      if (same) {
        opened.get().seek(level.position());
      }
      return same ? opened : Optional.empty();
    } finally {
      if (!same) {
        opened.get().close();
      }
    }
  }

  /** Counts the entry at the cursor; whether it is a directory. */
  private boolean addEntry(OpenDirectory directory) throws IOException {
    Optional<OpenDirectory.Status> status = directory.status(directory.name());
    status.ifPresent(this::add);
    return status.isPresent() && status.get().isDirectory();
  }

  private void add(OpenDirectory.Status status) {
    boolean first =
        status.isDirectory()
            || status.links() == 1
            || linked.add(new Inode(status.device(), status.inode()));
    if (first) {
      inodes++;
      bytes += status.occupiedBytes();
    }
  }
}

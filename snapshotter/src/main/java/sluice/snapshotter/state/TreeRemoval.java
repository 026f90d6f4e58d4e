package sluice.snapshotter.state;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Deletes a tree, however deep it is and whatever its names are. What another deletes meanwhile is
 * no failure, and what cannot be deleted does not keep the rest.
 *
 * <p>So that a tree of any depth needs few descriptors and little stack, directories that lie
 * {@link #MAX_OPEN} levels deep are moved aside, into a directory next to the tree, which is
 * deleted in the same way after it. If the process dies in between, that one is a tree of its own
 * for the next sweep.
 */
final class TreeRemoval {

  /** Directories that are open at once, in one tree. */
  private static final int MAX_OPEN = 32;

  /**
   * File systems may leave out entries when others are deleted between two reads; so read again.
   */
  private static final int PASSES = 4;

  private final Arena arena;
  private final OpenDirectory parent;
  private final String asidePrefix;
  private @Nullable MemorySegment asideName;
  private @Nullable OpenDirectory aside;
  private long moved;
  private @Nullable IOException failure;

  private TreeRemoval(Arena arena, OpenDirectory parent, String asidePrefix) {
    this.arena = arena;
    this.parent = parent;
    this.asidePrefix = asidePrefix;
  }

  /**
   * Deletes {@code tree}, if it is there; it may be a file.
   *
   * @param asidePrefix how names of directories begin that may be made next to it, and that belong
   *     to nobody
   * @throws IOException the first failure, after everything was tried
   */
  static void delete(Path tree, String asidePrefix) throws IOException {
    Path above = tree.toAbsolutePath().getParent();
    Path name = tree.getFileName();
    if (above == null || name == null) {
      throw new IllegalArgumentException("there is nothing above " + tree);
    }
    try (Arena arena = Arena.ofConfined();
        OpenDirectory parent = OpenDirectory.open(above)) {
      new TreeRemoval(arena, parent, asidePrefix).run(DirectoryCalls.lastName(arena, tree));
    } catch (NoSuchFileException e) {
      // Nor is there anything in it, then.
      return;
    }
  }

  private void run(MemorySegment tree) throws IOException {
    MemorySegment name = tree;
    while (name != null) {
      remove(parent, name, 1);
      name = asideName;
      if (aside != null) {
        aside.close();
      }
      asideName = null;
      aside = null;
    }
    if (failure != null) {
      throw failure;
    }
  }

  /** Deletes the entry of {@code in} with that name; what it lies in is {@code levels} deep. */
  private void remove(OpenDirectory in, MemorySegment name, int levels) {
    try {
      int result = in.unlink(name);
      if (result == -DirectoryCalls.EISDIR) {
        result = in.removeDirectory(name);
        if (isNotEmpty(result)) {
          result = levels == MAX_OPEN ? moveAside(in, name) : removeTree(in, name, levels);
        }
      }
      // A directory that is left because something in it failed is no failure of its own.
      if (result < 0 && result != -DirectoryCalls.ENOENT && failure == null) {
        failure = in.failure(name, "deleted", result);
      }
    } catch (IOException e) {
      if (failure == null) {
        failure = e;
      }
    }
  }

  private int removeTree(OpenDirectory in, MemorySegment name, int levels) throws IOException {
    Optional<OpenDirectory> opened = in.open(name);
    if (opened.isEmpty()) {
      return -DirectoryCalls.ENOENT;
    }
    try (OpenDirectory directory = opened.get()) {
      int result = 0;
      for (int pass = 0; pass < PASSES; pass++) {
        directory.seek(0);
        while (directory.next()) {
          remove(directory, directory.name(), levels + 1);
        }
        result = in.removeDirectory(name);
        if (failure != null || !isNotEmpty(result)) {
          break;
        }
      }
      return result;
    }
  }

  private int moveAside(OpenDirectory in, MemorySegment name) throws IOException {
    if (aside == null) {
      MemorySegment made = arena.allocateFrom(asidePrefix + UUID.randomUUID());
      int result = parent.makeDirectory(made);
      if (result < 0) {
        return result;
      }
      asideName = made;
      aside =
          parent
              .open(made)
              .orElseThrow(() -> parent.failure(made, "opened", -DirectoryCalls.ENOENT));
    }
    try (Arena naming = Arena.ofConfined()) {
      moved++;
      return in.move(name, aside, naming.allocateFrom(Long.toString(moved)));
    }
  }

  private static boolean isNotEmpty(int result) {
    return result == -DirectoryCalls.ENOTEMPTY || result == -DirectoryCalls.EEXIST;
  }
}

package sluice.testing;

import java.util.SortedMap;
import sluice.core.Bytes;

/** A whole tree of files as somebody sees it. */
@FunctionalInterface
public interface Tree {

  /**
   * Every entry by its path, parts joined by {@code /}, without a leading one; the empty path is
   * the root.
   */
  SortedMap<Bytes, TreeEntry> entries();

  /**
   * The entry at {@code path}, given as text; the empty path is the root.
   *
   * @throws AssertionError if there is none
   */
  default TreeEntry entry(String path) {
    TreeEntry entry = entries().get(Bytes.utf8(path));
    if (entry == null) {
      throw new AssertionError("the tree has no " + path);
    }
    return entry;
  }
}

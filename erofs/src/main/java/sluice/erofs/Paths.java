package sluice.erofs;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import sluice.core.Bytes;
import sluice.core.CorruptException;

/** Finds a path of an inode, for messages: a linear search, made only when something is wrong. */
final class Paths {

  private Paths() {}

  /** A path in quotes, or the inode's number if its names cannot be read. */
  static String of(TreeSource source, int inode) {
    try {
      List<Bytes> parts = new ArrayList<>();
      int at = inode;
      while (at != 0) {
        int entry = entry(source, at);
        parts.add(source.entryName(entry));
        at = directory(source, entry);
      }
      Collections.reverse(parts);
      return "\"" + TreePath.join(parts) + "\"";
    } catch (CorruptException e) {
      return "inode " + inode + " (whose path cannot be read: " + e.getMessage() + ")";
    }
  }

  private static int entry(TreeSource source, int inode) {
    int entry = 0;
    while (source.entryInode(entry) != inode) {
      entry++;
    }
    return entry;
  }

  private static int directory(TreeSource source, int entry) {
    int directory = 0;
    while (source.endEntry(directory) <= entry) {
      directory++;
    }
    return directory;
  }
}

package sluice.erofs;

import java.io.IOException;
import java.util.SortedMap;
import sluice.core.Bytes;
import sluice.core.CorruptException;

/**
 * A tree that can be written: inodes numbered from 0, the root, so that a directory comes before
 * what is in it; entries of all directories in one row, those of one directory next to each other
 * and sorted. Answers the same however often it is asked, for the writer asks when it plans and
 * again when it emits instead of keeping everything.
 */
interface TreeSource {

  /**
   * What an inode holds besides xattrs and data.
   *
   * @param mode with its type bits
   * @param sizeBytes of a regular file; 0 for all else
   * @param nlink of all but directories
   */
  record Head(
      int mode,
      long uid,
      long gid,
      long mtimeSeconds,
      int mtimeNanos,
      long sizeBytes,
      long nlink,
      long rdev) {

    static Head of(Attributes attributes, long sizeBytes, long nlink, long rdev) {
      return new Head(
          attributes.mode(),
          attributes.uid(),
          attributes.gid(),
          attributes.mtimeSeconds(),
          attributes.mtimeNanos(),
          sizeBytes,
          nlink,
          rdev);
    }
  }

  /** Receives the extents of a file by rising file offset. */
  @FunctionalInterface
  interface ExtentSink {
    void extent(Extent extent) throws IOException;
  }

  int inodes();

  Head head(int inode) throws CorruptException;

  SortedMap<Bytes, Bytes> xattrs(int inode) throws CorruptException;

  /** The target of a symlink. */
  Bytes target(int inode) throws CorruptException;

  /** The extents of a regular file. */
  void extents(int inode, ExtentSink sink) throws IOException;

  /** The directory that a directory lies in; the root's is itself. */
  int parent(int directory);

  /** The first entry of an inode; all but directories have none. */
  int firstEntry(int inode);

  /** The entry after the last one of an inode. */
  int endEntry(int inode);

  int entryInode(int entry);

  Bytes entryName(int entry) throws CorruptException;

  /** What the tree was read from, for messages. */
  String resource();
}

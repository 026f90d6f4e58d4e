package sluice.testing;

import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import sluice.core.Bytes;
import sluice.core.Digest;

/**
 * What a tree says of one path.
 *
 * @param mode permissions with set-id and sticky bits, {@code 07777}
 * @param size length of a regular file in bytes, 0 for all else
 * @param mtime time of modification; null where any will do
 * @param target target of a symbolic link, null for all else
 * @param device number of a device, null for all else
 * @param nlink names of the inode; 1 for directories
 * @param same the first path of the tree, in order of bytes, that is the same inode: the path
 *     itself where there is no other
 * @param xattrs by full name, {@code user.a}
 * @param content SHA-256 of a regular file, null for all else
 */
public record TreeEntry(
    FileType type,
    int mode,
    long uid,
    long gid,
    long size,
    @Nullable Timestamp mtime,
    @Nullable Bytes target,
    @Nullable DeviceNumber device,
    long nlink,
    Bytes same,
    SortedMap<Bytes, Bytes> xattrs,
    @Nullable Digest content) {

  /** The number of a character or block device. */
  public record DeviceNumber(long major, long minor) {
    @Override
    public String toString() {
      return major + ":" + minor;
    }
  }

  public TreeEntry {
    xattrs = Collections.unmodifiableSortedMap(new TreeMap<>(xattrs));
  }
}

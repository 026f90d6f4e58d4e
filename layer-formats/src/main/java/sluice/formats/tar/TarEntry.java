package sluice.formats.tar;

import java.util.SortedMap;
import org.jspecify.annotations.Nullable;
import sluice.core.Bytes;

/**
 * One entry of a tar stream, with what extended headers say of it.
 *
 * @param offset where its own header lies in the tar stream
 * @param type the typeflag, but NUL is resolved to {@code '0'} or {@code '5'}
 * @param name as it stands; not NUL-terminated, not cleaned
 * @param size of the file, holes included
 * @param nanos 0 to 999,999,999, forward from {@code mtime}
 * @param sparse where the data lies in the file; null if it has no holes
 * @param raw what else its headers hold
 */
record TarEntry(
    long offset,
    byte type,
    Bytes name,
    Bytes linkName,
    long size,
    long mode,
    long uid,
    long gid,
    long mtime,
    int nanos,
    long devMajor,
    long devMinor,
    SortedMap<Bytes, Bytes> xattrs,
    @Nullable SparseMap sparse,
    Raw raw) {

  /**
   * What no tree needs.
   *
   * @param dataOffset where the data lies in the tar stream, behind a map of holes
   * @param statedSize what the headers say, for whatever type
   */
  record Raw(
      long dataOffset, long statedSize, Bytes userName, Bytes groupName, PaxRecords records) {}
}

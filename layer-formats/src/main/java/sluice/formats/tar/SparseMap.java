package sluice.formats.tar;

import java.util.Arrays;

/**
 * Where the data of a sparse file lies in it: runs by rising offset. Between and after them are
 * holes. The data itself lies in the tar stream without the holes.
 */
final class SparseMap {

  private static final int FIRST_CAPACITY = 8;

  private long[] offsets = new long[FIRST_CAPACITY];
  private long[] lengths = new long[FIRST_CAPACITY];
  private int count;

  int count() {
    return count;
  }

  long offset(int index) {
    return offsets[index];
  }

  long length(int index) {
    return lengths[index];
  }

  /** The first byte after the last run. */
  long end() {
    return count == 0 ? 0 : offsets[count - 1] + lengths[count - 1];
  }

  /** How many bytes of data there are in all. */
  long dataBytes() {
    long bytes = 0;
    for (int i = 0; i < count; i++) {
      bytes += lengths[i];
    }
    return bytes;
  }

  /**
   * Adds a run.
   *
   * @return false if it does not lie behind the ones before it
   */
  boolean add(long offset, long length) {
    if (offset < end() || length < 0 || offset + length < 0) {
      return false;
    }
    if (count == offsets.length) {
      offsets = Arrays.copyOf(offsets, 2 * count);
      lengths = Arrays.copyOf(lengths, 2 * count);
    }
    offsets[count] = offset;
    lengths[count] = length;
    count++;
    return true;
  }
}

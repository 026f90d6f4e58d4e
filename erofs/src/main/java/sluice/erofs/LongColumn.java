package sluice.erofs;

import java.util.Arrays;

/** A growing row of longs, for tables with a line per inode. */
final class LongColumn {

  private static final int FIRST_CAPACITY = 1024;

  private long[] values = new long[FIRST_CAPACITY];
  private int size;

  int size() {
    return size;
  }

  long get(int index) {
    return values[index];
  }

  void set(int index, long value) {
    values[index] = value;
  }

  void add(long value) {
    if (size == values.length) {
      values = Arrays.copyOf(values, size + (size >> 1));
    }
    values[size++] = value;
  }

  /** The values so far, as an array of their own. */
  long[] toArray() {
    return Arrays.copyOf(values, size);
  }
}

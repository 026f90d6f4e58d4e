package sluice.erofs;

import java.util.Arrays;

/** A growing row of ints, for tables with a line per inode. */
final class IntColumn {

  private static final int FIRST_CAPACITY = 1024;

  private int[] values = new int[FIRST_CAPACITY];
  private int size;

  int size() {
    return size;
  }

  int get(int index) {
    return values[index];
  }

  void set(int index, int value) {
    values[index] = value;
  }

  void add(int value) {
    if (size == values.length) {
      values = Arrays.copyOf(values, size + (size >> 1));
    }
    values[size++] = value;
  }
}

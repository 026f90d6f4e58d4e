package sluice.erofs;

/** Maps longs to ints 0 or more, 24 bytes for each at most; open addressing, nothing is removed. */
final class LongIntMap {

  /** What {@link #get} gives for a key that is not there. */
  static final int NONE = -1;

  private static final int FIRST_CAPACITY = 1024;

  private long[] keys = new long[FIRST_CAPACITY];

  /** One more than the value; 0 where there is none. */
  private int[] values = new int[FIRST_CAPACITY];

  private int size;

  int get(long key) {
    return values[find(keys, values, key)] - 1;
  }

  void put(long key, int value) {
    if (size * 2 >= keys.length) {
      grow();
    }
    int at = find(keys, values, key);
    size += values[at] == 0 ? 1 : 0;
    keys[at] = key;
    values[at] = value + 1;
  }

  private void grow() {
    long[] moreKeys = new long[keys.length * 2];
    int[] moreValues = new int[keys.length * 2];
    for (int i = 0; i < keys.length; i++) {
      if (values[i] != 0) {
        int at = find(moreKeys, moreValues, keys[i]);
        moreKeys[at] = keys[i];
        moreValues[at] = values[i];
      }
    }
    keys = moreKeys;
    values = moreValues;
  }

  private static int find(long[] keys, int[] values, long key) {
    long mixed = key * 0x9e3779b97f4a7c15L;
    int at = (int) (mixed >>> 32) & (keys.length - 1);
    while (values[at] != 0 && keys[at] != key) {
      at = (at + 1) & (keys.length - 1);
    }
    return at;
  }
}

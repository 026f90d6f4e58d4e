package sluice.formats.toc;

import java.security.SecureRandom;
import java.util.Arrays;
import sluice.core.Bytes;

/**
 * The paths that a TOC has named so far, as hashes of 62 bits: eight bytes each instead of a
 * hundred. Two different paths of one hash would have the TOC refused; with a million paths that is
 * less likely than one in a million, and the seed keeps anybody from choosing them.
 */
final class SeenPaths {

  private static final long SEED = new SecureRandom().nextLong();

  /** 2<sup>64</sup> divided by the golden ratio, as Fibonacci hashing takes it. */
  private static final long MULTIPLIER = 0x9e37_79b9_7f4a_7c15L;

  private static final long USED = 1;
  private static final long DIRECTORY = 2;
  private static final long HASH = ~(USED | DIRECTORY);

  private long[] table = new long[1024];
  private int count;

  /** Adds a path; false if it was there, unless it is a directory, then and now. */
  boolean add(Bytes path, boolean directory) {
    if (2 * count >= table.length) {
      grow();
    }
    long key = (hash(path) & HASH) | USED;
    int at = find(table, key);
    if (table[at] != 0) {
      return directory && (table[at] & DIRECTORY) != 0;
    }
    table[at] = directory ? key | DIRECTORY : key;
    count++;
    return true;
  }

  /** Forgets all of them. */
  void clear() {
    table = new long[1024];
    count = 0;
  }

  private void grow() {
    long[] old = table;
    table = new long[2 * old.length];
    Arrays.stream(old)
        .filter(key -> key != 0)
        .forEach(key -> table[find(table, key & ~DIRECTORY)] = key);
  }

  /** Where the key is, or would be. */
  private static int find(long[] table, long key) {
    int at = (int) (key >>> 2) & (table.length - 1);
    while (table[at] != 0 && (table[at] & ~DIRECTORY) != key) {
      at = (at + 1) & (table.length - 1);
    }
    return at;
  }

  private static long hash(Bytes path) {
    long hash = SEED;
    for (int i = 0; i < path.length(); i++) {
      hash = (hash ^ path.at(i)) * MULTIPLIER;
      hash ^= hash >>> 29;
    }
    return hash;
  }
}

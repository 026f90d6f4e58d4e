package sluice.cache;

import static sluice.cache.TableHeader.LE_LONG;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Finds placements by their digest: the file {@code digests}, mapped. It only leads to candidates,
 * whose whole digest is in the chunk table and whose bytes are verified anyway; so it may be wrong
 * or incomplete, never harmful. Safe for use by many threads.
 *
 * <pre>
 * file  := entry*        by rising signed value
 * entry := u64           high half: first four bytes of the digest as a little-endian integer,
 *                        low half: number of the placement
 * </pre>
 */
final class DigestIndex {

  /** Entries that are sorted at a time, in 8 MiB of heap. */
  private static final int SORTED_AT_ONCE = 1 << 20;

  /**
   * The most that one sixteenth of all prefixes may have. Digests spread evenly; an index whose
   * digests do not has made them up, and the surplus is left out.
   */
  private static final int MAX_IN_BUCKET = 2 * SORTED_AT_ONCE;

  private static final int BUCKET_BITS = 4;
  private static final int BUCKETS = 1 << BUCKET_BITS;

  private final MemorySegment entries;

  /**
   * @param entries the content of the file
   */
  DigestIndex(MemorySegment entries) {
    this.entries = entries;
  }

  static DigestIndex open(Path file) throws IOException {
    return new DigestIndex(ChunkTable.map(file));
  }

  /** How many entries the index of {@code table} should have, so that a cut one is noticed. */
  static long entryCount(ChunkTable table) {
    long count = 0;
    for (int placement = 0; placement < table.placementCount(); placement++) {
      count += isIndexed(table, placement) ? 1 : 0;
    }
    return count;
  }

  long size() {
    return entries.byteSize() / Long.BYTES;
  }

  static void write(ChunkTable table, FileChannel out) throws IOException {
    SectionWriter writer = new SectionWriter(out, 0);
    boolean one = table.placementCount() <= SORTED_AT_ONCE;
    int from = one ? 0 : -BUCKETS / 2;
    int to = one ? 1 : BUCKETS / 2;
    for (int bucket = from; bucket < to; bucket++) {
      long[] sorted = collect(table, bucket, one);
      Arrays.sort(sorted);
      for (long entry : sorted) {
        writer.room(Long.BYTES).putLong(entry);
      }
    }
    writer.finish();
  }

  private static long[] collect(ChunkTable table, int bucket, boolean all) {
    long[] entries = new long[1024];
    int count = 0;
    for (int placement = 0; placement < table.placementCount(); placement++) {
      if (!isIndexed(table, placement)) {
        continue;
      }
      int prefix = table.digestPrefix(placement);
      if ((all || prefix >> (Integer.SIZE - BUCKET_BITS) == bucket) && count < MAX_IN_BUCKET) {
        if (count == entries.length) {
          entries = Arrays.copyOf(entries, 2 * count);
        }
        entries[count++] = ((long) prefix << Integer.SIZE) | placement;
      }
    }
    return Arrays.copyOf(entries, count);
  }

  private static boolean isIndexed(ChunkTable table, int placement) {
    return table.digestCode(placement) != 0 && !table.isZeros(table.chunkOf(placement));
  }

  /** The first entry whose prefix is not less; {@link #size} if there is none. */
  long find(int prefix) {
    long wanted = (long) prefix << Integer.SIZE;
    long low = 0;
    long high = size();
    while (low < high) {
      long middle = (low + high) >>> 1;
      if (entry(middle) >= wanted) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }

  int prefix(long number) {
    return (int) (entry(number) >> Integer.SIZE);
  }

  int placement(long number) {
    return (int) entry(number);
  }

  private long entry(long number) {
    return entries.get(LE_LONG, number * Long.BYTES);
  }
}

package sluice.cache;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * Says of most digests at once that they occur only once on this node, so that a chunk that is
 * nowhere else is not looked for in each of a thousand devices.
 *
 * <p>Two bitmaps outside the heap, one bit for each of eight times as many prefixes as there are:
 * <em>seen</em>, and <em>seen again</em>. A set bit may be another prefix's, or a deleted device's;
 * one that is not set is right. Safe for use by many threads.
 */
final class SharedDigests {
  private static final int BITS_PER_ENTRY = 8;
  private static final int MIN_LOG_BITS = 20;
  private static final int MAX_LOG_BITS = 31;

  private final Supplier<List<DigestIndex>> all;

  /** Orders writers; held while the digests of a device are read. */
  private final ReentrantLock lock = new ReentrantLock();

  /** Written after its bits were, so that who reads it sees them. */
  private volatile Bits bits = new Bits(MIN_LOG_BITS);

  private long entries;

  /**
   * @param all the digests of all devices there are now
   */
  SharedDigests(Supplier<List<DigestIndex>> all) {
    this.all = all;
  }

  private static final class Bits {
    final int logBits;
    final MemorySegment seen;
    final MemorySegment again;

    Bits(int logBits) {
      this.logBits = logBits;
      this.seen = Arena.ofAuto().allocate(1L << (logBits - 3));
      this.again = Arena.ofAuto().allocate(1L << (logBits - 3));
    }

    void add(DigestIndex digests) {
      for (long entry = 0; entry < digests.size(); entry++) {
        int prefix = digests.prefix(entry);
        set(get(seen, prefix) ? again : seen, prefix);
      }
    }

    private void set(MemorySegment map, int prefix) {
      int at = at(prefix);
      byte value = map.get(ValueLayout.JAVA_BYTE, at);
      map.set(ValueLayout.JAVA_BYTE, at, (byte) (value | bit(prefix)));
    }

    boolean get(MemorySegment map, int prefix) {
      return (map.get(ValueLayout.JAVA_BYTE, at(prefix)) & bit(prefix)) != 0;
    }

    private int at(int prefix) {
      return (prefix >>> (Integer.SIZE - logBits)) / Byte.SIZE;
    }

    private int bit(int prefix) {
      return 1 << ((prefix >>> (Integer.SIZE - logBits)) % Byte.SIZE);
    }
  }

  /** Adds the digests of a device that is among the others, or will be. */
  void add(DigestIndex added) {
    lock.lock();
    try {
      entries += added.size();
      Bits current = bits;
      if (entries * BITS_PER_ENTRY > 1L << current.logBits && current.logBits < MAX_LOG_BITS) {
        current = rebuild(added);
      } else {
        current.add(added);
      }
      bits = current;
    } finally {
      lock.unlock();
    }
  }

  /** Counts anew, which forgets deleted devices, and takes twice the room that is needed. */
  private Bits rebuild(DigestIndex added) {
    List<DigestIndex> kept = new ArrayList<>(all.get());
    kept.remove(added);
    kept.add(added);
    entries = kept.stream().mapToLong(DigestIndex::size).sum();
    int log = Long.SIZE - Long.numberOfLeadingZeros(entries * BITS_PER_ENTRY);
    Bits fresh = new Bits(Math.clamp(log + 1, MIN_LOG_BITS, MAX_LOG_BITS));
    kept.forEach(fresh::add);
    return fresh;
  }

  /** Whether a digest that begins like this may occur more than once. */
  boolean mayHave(int prefix) {
    Bits current = bits;
    return current.get(current.again, prefix);
  }
}

package sluice.cache;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import sluice.core.CorruptException;

/**
 * Which chunks of a device are in its data file: the file {@code presence}, and a copy in memory
 * that answers reads.
 *
 * <h2>Two maps</h2>
 *
 * A chunk is in <em>present</em> as soon as its verified bytes have been written; nothing is synced
 * then. It is in <em>durable</em> after an {@code fdatasync} of the data file that began later. The
 * file names the boot in which it was last opened: the page cache outlives the process but not the
 * boot, so that <em>present</em> counts in the same boot and <em>durable</em> in any other.
 *
 * <h2>Order</h2>
 *
 * Data is written before the bit in the file, and the bit in the file before the bit in memory
 * (release), which a reader sees (acquire) before it reads the data. Whenever the process dies, the
 * file says no more than is true. A bit is lost if the process dies between the first two; then the
 * chunk is fetched again.
 *
 * <p>The file is written, not mapped: a store into a map of a file system that has no block left
 * would end in SIGBUS, a write ends in an exception.
 *
 * <p>Safe for use by many threads.
 */
final class Presence {
  private static final int BITS = Long.SIZE;
  private static final VarHandle WORD = MethodHandles.arrayElementVarHandle(long[].class);

  private final PresenceFile layout;

  /** Written under {@link #lock}, read by anybody. */
  private final long[] present;

  /** Guarded by {@link #lock}. */
  private final long[] durable;

  /** Orders the writes of the file; held only across those, which go to the page cache. */
  private final ReentrantLock lock = new ReentrantLock();

  private final AtomicInteger presentCount;
  private final AtomicInteger losses = new AtomicInteger();

  private Presence(PresenceFile layout, long[] present, long[] durable) {
    this.layout = layout;
    this.present = present;
    this.durable = durable;
    this.presentCount = new AtomicInteger(count(present));
  }

  /**
   * Writes a new file.
   *
   * @param all whether all chunks are present; none is durable
   */
  static void create(Path file, int chunkCount, boolean all, UUID boot) throws IOException {
    long[] present = new long[PresenceFile.words(chunkCount)];
    if (all) {
      Arrays.fill(present, -1L);
      if (chunkCount % BITS != 0) {
        present[present.length - 1] = (1L << chunkCount % BITS) - 1;
      }
    }
    PresenceFile.create(file, chunkCount, present, boot);
  }

  /**
   * Opens the file of a device and begins this boot in it.
   *
   * @throws CorruptException if it is not such a file
   */
  static Presence open(Path path, int chunkCount, UUID boot) throws IOException {
    PresenceFile layout = new PresenceFile(chunkCount);
    try (FileChannel file =
        FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      UUID written = layout.readBoot(file, path);
      long[] durable = layout.readDurable(file);
      if (written.equals(boot)) {
        return new Presence(layout, layout.readPresent(file), durable);
      }
      // The map first: if the process dies here, the old boot still stands before it.
      layout.writePresent(file, durable, 0, durable.length);
      layout.writeHeader(file, boot);
      return new Presence(layout, durable.clone(), durable);
    }
  }

  /** Whether the chunk's bytes can be read. Costs no system call. */
  boolean has(int chunk) {
    long word = (long) WORD.getAcquire(present, chunk / BITS);
    return (word & bit(chunk)) != 0;
  }

  /** Whether all chunks are present. */
  boolean complete() {
    return presentCount.get() == layout.chunkCount();
  }

  int presentCount() {
    return presentCount.get();
  }

  /** How often present chunks were lost; see {@link #mark}. */
  int losses() {
    return losses.get();
  }

  /**
   * Marks a chunk whose bytes have been written.
   *
   * @param lossesBefore what {@link #losses} was before they were written
   * @return false if chunks were lost since: then these bytes may be among them
   */
  boolean mark(int chunk, int lossesBefore, FileChannel file) throws IOException {
    lock.lock();
    try {
      if (losses.get() != lossesBefore) {
        return false;
      }
      int index = chunk / BITS;
      long word = present[index] | bit(chunk);
      if (word != present[index]) {
        layout.writePresent(file, index, word);
        WORD.setRelease(present, index, word);
        presentCount.incrementAndGet();
      }
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** Takes a chunk back whose bytes turned out to be wrong. */
  void clear(int chunk, FileChannel file) throws IOException {
    lock.lock();
    try {
      int index = chunk / BITS;
      long kept = ~bit(chunk);
      if ((present[index] & ~kept) != 0) {
        WORD.setRelease(present, index, present[index] & kept);
        presentCount.decrementAndGet();
      }
      durable[index] &= kept;
      layout.writeDurable(file, durable, index, index + 1);
      layout.writePresent(file, present, index, index + 1);
      file.force(false);
    } finally {
      lock.unlock();
    }
  }

  /** Whether what is present is also durable. */
  boolean synced() {
    lock.lock();
    try {
      return Arrays.equals(present, durable);
    } finally {
      lock.unlock();
    }
  }

  /** What is present now; to be taken before the sync that makes it durable. */
  long[] snapshot() {
    lock.lock();
    try {
      return present.clone();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Makes durable, on disk, what {@code snapshot} holds; the data was synced after it was taken.
   * Takes ownership of the array.
   */
  void makeDurable(long[] snapshot, FileChannel file) throws IOException {
    lock.lock();
    try {
      int first = snapshot.length;
      int last = -1;
      for (int i = 0; i < snapshot.length; i++) {
        // Chunks that were cleared since stay cleared.
        snapshot[i] = durable[i] | (snapshot[i] & present[i]);
        if (snapshot[i] != durable[i]) {
          first = Math.min(first, i);
          last = i;
        }
      }
      if (last >= 0) {
        layout.writeDurable(file, snapshot, first, last + 1);
        System.arraycopy(snapshot, first, durable, first, last + 1 - first);
      }
    } finally {
      lock.unlock();
    }
    file.force(false);
  }

  /**
   * Takes back all that is not durable: the disk failed to keep it, and the page cache may have
   * dropped it.
   *
   * @return how many chunks that were
   */
  int loseUnsynced(FileChannel file) throws IOException {
    lock.lock();
    try {
      losses.incrementAndGet();
      int before = presentCount.get();
      for (int i = 0; i < present.length; i++) {
        WORD.setRelease(present, i, present[i] & durable[i]);
      }
      presentCount.set(count(present));
      layout.writePresent(file, present, 0, present.length);
      return before - presentCount.get();
    } finally {
      lock.unlock();
    }
  }

  /** What is done to a file. */
  @FunctionalInterface
  interface FileAction {
    void run() throws IOException;
  }

  /**
   * Runs {@code action} if nothing is present, and lets nothing become present that was written
   * before it ended.
   */
  void ifEmpty(FileAction action) throws IOException {
    lock.lock();
    try {
      if (presentCount.get() == 0) {
        losses.incrementAndGet();
        action.run();
      }
    } finally {
      lock.unlock();
    }
  }

  private static long bit(int chunk) {
    return 1L << chunk % BITS;
  }

  private static int count(long[] words) {
    return Arrays.stream(words).mapToInt(Long::bitCount).sum();
  }
}

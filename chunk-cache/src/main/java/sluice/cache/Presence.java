package sluice.cache;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
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
 * <pre>
 * file    := header present durable
 * header  := magic "SLPRESNT", version u32 = 1, chunk count u32, boot id 2 × u64 (4096 bytes)
 * present := u64 each 64 chunks, chunk n in bit n % 64; padded to 4096 bytes
 * durable := likewise
 * </pre>
 */
final class Presence {
  private static final byte[] MAGIC = "SLPRESNT".getBytes(StandardCharsets.US_ASCII);
  private static final int VERSION = 1;
  private static final int BLOCK_BYTES = 4096;
  private static final int BITS = Long.SIZE;
  private static final VarHandle WORD = MethodHandles.arrayElementVarHandle(long[].class);

  private final int chunkCount;

  /** Written under {@link #lock}, read by anybody. */
  private final long[] present;

  /** Guarded by {@link #lock}. */
  private final long[] durable;

  /** Orders the writes of the file; held only across those, which go to the page cache. */
  private final ReentrantLock lock = new ReentrantLock();

  private final AtomicInteger presentCount;
  private final AtomicInteger losses = new AtomicInteger();

  private Presence(int chunkCount, long[] present, long[] durable) {
    this.chunkCount = chunkCount;
    this.present = present;
    this.durable = durable;
    this.presentCount = new AtomicInteger(count(present));
  }

  /**
   * Writes a new file, every block of it, so that there is room for each bit that is set later.
   *
   * @param all whether all chunks are present; none is durable
   */
  static void create(Path file, int chunkCount, boolean all, UUID boot) throws IOException {
    long[] present = new long[words(chunkCount)];
    if (all) {
      Arrays.fill(present, -1L);
      if (chunkCount % BITS != 0) {
        present[present.length - 1] = (1L << chunkCount % BITS) - 1;
      }
    }
    write(file, chunkCount, present, new long[present.length], boot);
  }

  /**
   * Opens the file of a device and begins this boot in it.
   *
   * @throws CorruptException if it is not such a file
   */
  static Presence open(Path path, int chunkCount, UUID boot) throws IOException {
    try (FileChannel file =
        FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      UUID written = readHeader(file, chunkCount, path);
      long[] durable = readMap(file, durableOffset(chunkCount), chunkCount);
      if (written.equals(boot)) {
        return new Presence(chunkCount, readMap(file, BLOCK_BYTES, chunkCount), durable);
      }
      // The map first: if the process dies here, the old boot still stands before it.
      Disk.write(file, bytes(durable, 0, durable.length), BLOCK_BYTES);
      Disk.write(file, header(chunkCount, boot), 0);
      return new Presence(chunkCount, durable.clone(), durable);
    }
  }

  /** Whether the chunk's bytes can be read. Costs no system call. */
  boolean has(int chunk) {
    long word = (long) WORD.getAcquire(present, chunk / BITS);
    return (word & bit(chunk)) != 0;
  }

  /** Whether all chunks are present. */
  boolean complete() {
    return presentCount.get() == chunkCount;
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
        writeWord(file, BLOCK_BYTES, index, word);
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
      writeWord(file, durableOffset(chunkCount), index, durable[index]);
      writeWord(file, BLOCK_BYTES, index, present[index]);
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
        long offset = durableOffset(chunkCount) + (long) first * Long.BYTES;
        Disk.write(file, bytes(snapshot, first, last + 1), offset);
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
      Disk.write(file, bytes(present, 0, present.length), BLOCK_BYTES);
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

  private static void write(Path path, int chunkCount, long[] present, long[] durable, UUID boot)
      throws IOException {
    int mapBytes = mapBytes(chunkCount);
    try (FileChannel file =
        FileChannel.open(
            path,
            StandardOpenOption.WRITE,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      Disk.write(file, header(chunkCount, boot), 0);
      Disk.write(file, bytes(present, 0, mapBytes / Long.BYTES), BLOCK_BYTES);
      Disk.write(file, bytes(durable, 0, mapBytes / Long.BYTES), durableOffset(chunkCount));
      file.force(true);
    }
  }

  private static UUID readHeader(FileChannel file, int chunkCount, Path path) throws IOException {
    ByteBuffer header = buffer(BLOCK_BYTES);
    long expected = durableOffset(chunkCount) + mapBytes(chunkCount);
    if (file.size() != expected) {
      throw new CorruptException(
          "presence: %d bytes, expected %d".formatted(file.size(), expected), path.toString(), -1);
    }
    Disk.read(file, header, 0);
    header.flip();
    byte[] magic = new byte[MAGIC.length];
    header.get(magic);
    if (!Arrays.equals(magic, MAGIC)
        || header.getInt() != VERSION
        || header.getInt() != chunkCount) {
      throw new CorruptException(
          "presence: magic, version or chunk count is wrong", path.toString(), 0);
    }
    return new UUID(header.getLong(), header.getLong());
  }

  private static ByteBuffer header(int chunkCount, UUID boot) {
    ByteBuffer header = buffer(BLOCK_BYTES);
    header.put(MAGIC).putInt(VERSION).putInt(chunkCount);
    header.putLong(boot.getMostSignificantBits()).putLong(boot.getLeastSignificantBits());
    return header.clear();
  }

  private static long[] readMap(FileChannel file, long offset, int chunkCount) throws IOException {
    long[] words = new long[words(chunkCount)];
    ByteBuffer bytes = buffer(words.length * Long.BYTES);
    Disk.read(file, bytes, offset);
    bytes.flip().asLongBuffer().get(words);
    return words;
  }

  private static void writeWord(FileChannel file, long map, int index, long word)
      throws IOException {
    ByteBuffer bytes = buffer(Long.BYTES).putLong(0, word);
    Disk.write(file, bytes, map + (long) index * Long.BYTES);
  }

  /** The words {@code [from, to)} as they are on disk; zeros after the last one. */
  private static ByteBuffer bytes(long[] words, int from, int to) {
    ByteBuffer bytes = buffer((to - from) * Long.BYTES);
    bytes.asLongBuffer().put(words, from, Math.min(to, words.length) - from);
    return bytes;
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static int words(int chunkCount) {
    return (chunkCount + BITS - 1) / BITS;
  }

  private static int mapBytes(int chunkCount) {
    int bytes = words(chunkCount) * Long.BYTES;
    return (bytes + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
  }

  private static long durableOffset(int chunkCount) {
    return (long) BLOCK_BYTES + mapBytes(chunkCount);
  }

  private static long bit(int chunk) {
    return 1L << chunk % BITS;
  }

  private static int count(long[] words) {
    return Arrays.stream(words).mapToInt(Long::bitCount).sum();
  }
}

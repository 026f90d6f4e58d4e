package sluice.cache;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.UUID;
import sluice.core.CorruptException;

/**
 * How the maps of {@link Presence} lie in their file, little endian.
 *
 * <pre>
 * file    := header present durable
 * header  := magic "SLPRESNT", version u32 = 1, chunk count u32, boot id 2 × u64 (4096 bytes)
 * present := u64 each 64 chunks, chunk n in bit n % 64; padded to 4096 bytes
 * durable := likewise
 * </pre>
 */
record PresenceFile(int chunkCount) {
  private static final byte[] MAGIC = "SLPRESNT".getBytes(StandardCharsets.US_ASCII);
  private static final int VERSION = 1;
  private static final int BLOCK_BYTES = 4096;

  /** Words of a map of that many chunks. */
  static int words(int chunkCount) {
    return (chunkCount + Long.SIZE - 1) / Long.SIZE;
  }

  /**
   * Writes a new file, synced, every block of it, so that there is room for each bit that is set
   * later.
   */
  static void create(Path path, int chunkCount, long[] present, UUID boot) throws IOException {
    PresenceFile layout = new PresenceFile(chunkCount);
    int words = layout.mapBytes() / Long.BYTES;
    try (FileChannel file =
        FileChannel.open(
            path,
            StandardOpenOption.WRITE,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      layout.writeHeader(file, boot);
      layout.writePresent(file, present, 0, words);
      layout.writeDurable(file, new long[0], 0, words);
      file.force(true);
    }
  }

  /**
   * The boot that the file was last opened in.
   *
   * @throws CorruptException if it is not a presence file of that many chunks
   */
  UUID readBoot(FileChannel file, Path path) throws IOException {
    long expected = durableOffset() + mapBytes();
    if (file.size() != expected) {
      throw new CorruptException(
          "presence: %d bytes, expected %d".formatted(file.size(), expected), path.toString(), -1);
    }
    ByteBuffer header = buffer(BLOCK_BYTES);
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

  void writeHeader(FileChannel file, UUID boot) throws IOException {
    ByteBuffer header = buffer(BLOCK_BYTES);
    header.put(MAGIC).putInt(VERSION).putInt(chunkCount);
    header.putLong(boot.getMostSignificantBits()).putLong(boot.getLeastSignificantBits());
    Disk.write(file, header.clear(), 0);
  }

  long[] readPresent(FileChannel file) throws IOException {
    return readMap(file, BLOCK_BYTES);
  }

  long[] readDurable(FileChannel file) throws IOException {
    return readMap(file, durableOffset());
  }

  private long[] readMap(FileChannel file, long offset) throws IOException {
    long[] words = new long[words(chunkCount)];
    ByteBuffer bytes = buffer(words.length * Long.BYTES);
    Disk.read(file, bytes, offset);
    bytes.flip().asLongBuffer().get(words);
    if (chunkCount % Long.SIZE != 0) {
      // Bits of no chunk would count as present ones.
      words[words.length - 1] &= (1L << chunkCount % Long.SIZE) - 1;
    }
    return words;
  }

  void writePresent(FileChannel file, int index, long word) throws IOException {
    ByteBuffer bytes = buffer(Long.BYTES).putLong(0, word);
    Disk.write(file, bytes, BLOCK_BYTES + (long) index * Long.BYTES);
  }

  /** Writes the words {@code [from, to)}; those that the array does not have are zeros. */
  void writePresent(FileChannel file, long[] words, int from, int to) throws IOException {
    Disk.write(file, bytes(words, from, to), BLOCK_BYTES + (long) from * Long.BYTES);
  }

  /** Writes the words {@code [from, to)}; those that the array does not have are zeros. */
  void writeDurable(FileChannel file, long[] words, int from, int to) throws IOException {
    Disk.write(file, bytes(words, from, to), durableOffset() + (long) from * Long.BYTES);
  }

  private static ByteBuffer bytes(long[] words, int from, int to) {
    ByteBuffer bytes = buffer((to - from) * Long.BYTES);
    bytes.asLongBuffer().put(words, from, Math.min(to, words.length) - from);
    return bytes;
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private int mapBytes() {
    int bytes = words(chunkCount) * Long.BYTES;
    return (bytes + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
  }

  private long durableOffset() {
    return (long) BLOCK_BYTES + mapBytes();
  }
}

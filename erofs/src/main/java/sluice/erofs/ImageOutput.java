package sluice.erofs;

import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;

/** Writes an image in one pass, through a buffer, and its checksum at the end. For one thread. */
final class ImageOutput implements Closeable {

  /** Twice what {@link #next} is asked for at most: an xattr of 64 KiB. */
  private static final int BUFFER_BYTES = 256 * 1024;

  private final FileChannel channel;
  private final byte[] buffer = new byte[BUFFER_BYTES];
  private final MemorySegment segment = MemorySegment.ofArray(buffer);
  private int filled;
  private long flushed;

  private ImageOutput(FileChannel channel) {
    this.channel = channel;
  }

  /** Creates a file that must not exist. */
  static ImageOutput create(Path file) throws IOException {
    return new ImageOutput(
        FileChannel.open(
            file,
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE));
  }

  long position() {
    return flushed + filled;
  }

  /** The next bytes of the image, zeros, to be written before the next call. */
  MemorySegment next(int lengthBytes) throws IOException {
    if (lengthBytes > BUFFER_BYTES - filled) {
      flush();
    }
    MemorySegment next = segment.asSlice(filled, lengthBytes);
    filled += lengthBytes;
    return next;
  }

  /** Writes zeros up to a position that was not passed yet. */
  void padTo(long position) throws IOException {
    if (position < position()) {
      throw new IllegalStateException(
          "image: %d is planned, but %d is written".formatted(position, position()));
    }
    while (position() < position) {
      next((int) Math.min(BUFFER_BYTES / 2, position - position()));
    }
  }

  /** Writes the checksum into a superblock that is there, and all of it to disk. */
  void finish(int blockBits) throws IOException {
    flush();
    ByteBuffer block = ByteBuffer.allocate(Superblock.checksummedBytes(blockBits));
    int count = 0;
    while (block.hasRemaining() && count >= 0) {
      count = channel.read(block, Superblock.OFFSET + block.position());
    }
    MemorySegment superblock = MemorySegment.ofBuffer(block.clear());
    Superblock.writeChecksum(superblock, Superblock.checksumOf(block));
    writeAll(block.limit(Superblock.BYTES), Superblock.OFFSET);
    channel.force(true);
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  private void flush() throws IOException {
    writeAll(ByteBuffer.wrap(buffer, 0, filled), flushed);
    flushed += filled;
    Arrays.fill(buffer, 0, filled, (byte) 0);
    filled = 0;
  }

  private void writeAll(ByteBuffer bytes, long position) throws IOException {
    long at = position;
    while (bytes.hasRemaining()) {
      at += channel.write(bytes, at);
    }
  }
}

package sluice.cache;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;

/** Writes one section of a file, little endian, from an offset on. For one thread. */
final class SectionWriter {
  private static final int BUFFER_BYTES = 64 << 10;

  private final FileChannel out;
  private final ByteBuffer buffer =
      ByteBuffer.allocate(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
  private long offset;

  SectionWriter(FileChannel out, long offset) {
    this.out = out;
    this.offset = offset;
  }

  /** A buffer with room for a record of {@code bytes}, which is far less than the buffer holds. */
  ByteBuffer room(int bytes) throws IOException {
    if (buffer.remaining() < bytes) {
      finish();
    }
    return buffer;
  }

  void copy(MemorySegment bytes) throws IOException {
    for (long at = 0; at < bytes.byteSize(); at += BUFFER_BYTES) {
      finish();
      int length = (int) Math.min(BUFFER_BYTES, bytes.byteSize() - at);
      MemorySegment.copy(bytes, at, MemorySegment.ofBuffer(buffer), 0, length);
      buffer.position(length);
    }
  }

  /** Writes what is buffered. */
  void finish() throws IOException {
    buffer.flip();
    offset += Disk.write(out, buffer, offset);
    buffer.clear();
  }
}

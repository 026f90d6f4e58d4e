package sluice.formats.soci;

import com.google.flatbuffers.FlatBufferBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.IdentityHashMap;

/**
 * Buffers of a builder, outside of the heap and given back as soon as a larger one has their
 * content. For one thread at a time.
 */
final class NativeBuffers extends FlatBufferBuilder.ByteBufferFactory implements AutoCloseable {

  private final IdentityHashMap<ByteBuffer, Arena> held = new IdentityHashMap<>();
  private final EntriesRoom room;
  private long heldBytes;

  NativeBuffers(EntriesRoom room) {
    this.room = room;
  }

  /**
   * A new buffer.
   *
   * @throws UncheckedIOException if there is no room or no memory for it
   */
  @Override
  public ByteBuffer newByteBuffer(int capacity) {
    try {
      take(capacity);
    } catch (IOException e) {
      // The builder lets no other exception through.
      throw new UncheckedIOException(e);
    }
    Arena arena = Arena.ofShared();
    try {
      ByteBuffer buffer = arena.allocate(capacity).asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
      held.put(buffer, arena);
      return buffer;
    } catch (OutOfMemoryError e) {
      // Of native memory, and of no more than this buffer.
      arena.close();
      give(capacity);
      throw new UncheckedIOException(
          new IOException("no %d bytes of native memory".formatted(capacity), e));
    }
  }

  @Override
  public void releaseByteBuffer(ByteBuffer buffer) {
    Arena arena = held.remove(buffer);
    if (arena != null) {
      arena.close();
      give(buffer.capacity());
    }
  }

  /** Takes room for what the owner of the builder keeps besides. */
  void take(long bytes) throws IOException {
    room.take(heldBytes, bytes);
    heldBytes += bytes;
  }

  /** Gives back what was {@link #take taken}. */
  void give(long bytes) {
    room.give(bytes);
    heldBytes -= bytes;
  }

  @Override
  public void close() {
    held.values().forEach(Arena::close);
    held.clear();
    give(heldBytes);
  }
}

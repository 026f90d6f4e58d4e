package sluice.formats.soci;

import com.google.flatbuffers.FlatBufferBuilder;
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

  @Override
  public ByteBuffer newByteBuffer(int capacity) {
    Arena arena = Arena.ofShared();
    ByteBuffer buffer = arena.allocate(capacity).asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    held.put(buffer, arena);
    return buffer;
  }

  @Override
  public void releaseByteBuffer(ByteBuffer buffer) {
    Arena arena = held.remove(buffer);
    if (arena != null) {
      arena.close();
    }
  }

  @Override
  public void close() {
    held.values().forEach(Arena::close);
    held.clear();
  }
}

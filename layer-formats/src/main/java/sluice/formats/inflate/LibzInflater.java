package sluice.formats.inflate;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.util.zip.DataFormatException;

/** The zlib of the host. */
final class LibzInflater implements RawInflater {

  private final Arena arena = Arena.ofShared();
  private final NativeBuffers buffers = new NativeBuffers(arena);
  private final ZStream stream = new ZStream(arena);
  private boolean ended;

  @Override
  public void start() {
    stream.reset();
    ended = false;
  }

  @Override
  public void start(int firstByte, int bits, ByteBuffer window) {
    start();
    if (bits > 0) {
      stream.prime(bits, firstByte >>> (Byte.SIZE - bits));
    }
    if (window.hasRemaining()) {
      stream.setDictionary(buffers.encoded(window));
    }
  }

  @Override
  public boolean inflate(ByteBuffer encoded, ByteBuffer decoded) throws DataFormatException {
    try {
      boolean progress = true;
      while (progress && !ended && decoded.hasRemaining()) {
        MemorySegment room = buffers.room(decoded);
        ended = stream.inflate(buffers.encoded(encoded), room, Libz.NO_FLUSH);
        progress = stream.consumed() > 0 || stream.produced() > 0;
        encoded.position(encoded.position() + stream.consumed());
        NativeBuffers.written(decoded, room, stream.produced());
      }
      return ended;
    } finally {
      Reference.reachabilityFence(encoded);
      Reference.reachabilityFence(decoded);
    }
  }

  @Override
  public void close() {
    try (arena) {
      stream.close();
    }
  }
}

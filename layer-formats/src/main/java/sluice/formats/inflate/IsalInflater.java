package sluice.formats.inflate;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.util.zip.DataFormatException;
import org.jspecify.annotations.Nullable;

/** ISA-L: the fastest, where its assembler knows the processor. */
final class IsalInflater implements RawInflater {

  /** Return codes of {@code isal_inflate}, from -1 down. */
  private static final String[] ERRORS = {
    "invalid block", "invalid symbol", "invalid distance too far back"
  };

  private final Arena arena = Arena.ofShared();
  private final NativeBuffers buffers = new NativeBuffers(arena);
  private final IsalState state = new IsalState(arena);
  private boolean ended;

  /** Found while what came before filled the room: told to who asks for more. */
  private @Nullable String error;

  /** Whether the struct of the loaded library looks as its header says; only before any use. */
  boolean looksInitialised() {
    return state.looksInitialised();
  }

  boolean endUntouched() {
    return state.endUntouched();
  }

  @Override
  public void start() {
    state.reset();
    ended = false;
    error = null;
  }

  @Override
  public void start(int firstByte, int bits, ByteBuffer window) {
    start();
    if (window.hasRemaining()) {
      if (!state.setDictionary(buffers.encoded(window))) {
        throw new IllegalStateException("ISA-L: isal_inflate_set_dict after a reset");
      }
    }
    if (bits > 0) {
      state.prime(bits, firstByte >>> (Byte.SIZE - bits));
    }
  }

  @Override
  public boolean inflate(ByteBuffer encoded, ByteBuffer decoded) throws DataFormatException {
    try {
      boolean progress = true;
      while (progress && !ended && decoded.hasRemaining()) {
        progress = step(encoded, decoded);
      }
      return ended;
    } finally {
      Reference.reachabilityFence(encoded);
      Reference.reachabilityFence(decoded);
    }
  }

  private boolean step(ByteBuffer encoded, ByteBuffer decoded) throws DataFormatException {
    if (error != null) {
      throw new DataFormatException(error);
    }
    MemorySegment piece = buffers.encoded(encoded);
    MemorySegment room = buffers.room(decoded);
    int code = state.inflate(piece, room);
    // A broken header of a block may leave it a byte behind the input's end: -1 are left.
    int consumed = (int) piece.byteSize() - Math.max(state.availableIn(), 0);
    int produced = (int) room.byteSize() - state.availableOut();
    encoded.position(encoded.position() + consumed);
    NativeBuffers.written(decoded, room, produced);
    if (code < 0) {
      error = -code <= ERRORS.length ? ERRORS[-code - 1] : "ISA-L: error " + code;
    }
    if (state.finished()) {
      ended = true;
      encoded.position(encoded.position() - state.readAhead());
    }
    return consumed > 0 || produced > 0 || error != null;
  }

  @Override
  public void close() {
    arena.close();
  }
}

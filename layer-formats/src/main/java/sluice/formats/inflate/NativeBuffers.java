package sluice.formats.inflate;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Native memory through which heap buffers pass, piece by piece. The libraries' streams are structs
 * that hold pointers to input and output; no heap object can be pinned by a pointer in a struct.
 * Direct buffers are used where they are. For one thread at a time.
 */
final class NativeBuffers {

  /** Fits the second level cache with the output; ISA-L keeps 32 KiB of history at each call. */
  static final int ENCODED_BYTES = 64 * 1024;

  static final int DECODED_BYTES = 256 * 1024;

  private final Arena arena;
  private @Nullable MemorySegment encodedPiece;
  private @Nullable MemorySegment decodedPiece;

  /** Allocates from {@code arena}, once there is need. */
  NativeBuffers(Arena arena) {
    this.arena = arena;
  }

  /**
   * The beginning of what remains of {@code encoded}, in native memory. Good until the next call,
   * and no longer than {@code encoded} is reachable.
   */
  MemorySegment encoded(ByteBuffer encoded) {
    MemorySegment all = MemorySegment.ofBuffer(encoded);
    if (all.isNative()) {
      return all;
    }
    MemorySegment piece = encodedPiece;
    if (piece == null) {
      piece = arena.allocate(ENCODED_BYTES);
      encodedPiece = piece;
    }
    long length = Math.min(all.byteSize(), ENCODED_BYTES);
    MemorySegment.copy(all, 0, piece, 0, length);
    return piece.asSlice(0, length);
  }

  /** Room for the beginning of what remains of {@code decoded}; {@link #written} fills it. */
  MemorySegment room(ByteBuffer decoded) {
    if (decoded.isDirect()) {
      return MemorySegment.ofBuffer(decoded);
    }
    MemorySegment piece = decodedPiece;
    if (piece == null) {
      piece = arena.allocate(DECODED_BYTES);
      decodedPiece = piece;
    }
    return piece.asSlice(0, Math.min(decoded.remaining(), DECODED_BYTES));
  }

  /** Says that the first {@code length} bytes of {@code room} were written. */
  static void written(ByteBuffer decoded, MemorySegment room, int length) {
    if (!decoded.isDirect()) {
      MemorySegment.copy(room, 0, MemorySegment.ofBuffer(decoded), 0, length);
    }
    decoded.position(decoded.position() + length);
  }
}

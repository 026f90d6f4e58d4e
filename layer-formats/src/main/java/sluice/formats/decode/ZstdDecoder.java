package sluice.formats.decode;

import com.github.luben.zstd.BaseZstdBufferDecompressingStreamNoFinalizer;
import com.github.luben.zstd.ZstdBufferDecompressingStreamNoFinalizer;
import com.github.luben.zstd.ZstdDirectBufferDecompressingStreamNoFinalizer;
import com.github.luben.zstd.ZstdIOException;
import java.io.IOException;
import java.nio.ByteBuffer;
import sluice.core.CorruptException;

/**
 * What zstd frames (RFC 8878) begin with.
 *
 * <p>The library sees all of the input at once, so a frame that says its length and fits the room
 * is decoded straight into it, at the speed of {@code ZSTD_decompress}. Any other one goes through
 * a window, of which the library touches as much as it decodes: what a frame claims costs address
 * space, at most 128 MiB, and no memory.
 */
final class ZstdDecoder {

  /** The most that {@code zstd} itself takes without being told to. */
  private static final int MAX_WINDOW_LOG = 27;

  private ZstdDecoder() {}

  /** Decodes until {@code decoded} is full; what follows is left alone. */
  static void decode(ByteBuffer encoded, ByteBuffer decoded) throws IOException {
    if (encoded.isDirect() && decoded.isDirect()) {
      stream(new ZstdDirectBufferDecompressingStreamNoFinalizer(encoded), encoded, decoded);
      return;
    }
    ByteBuffer in = encoded;
    if (!encoded.hasArray()) {
      in = ByteBuffer.allocate(encoded.remaining()).put(encoded).flip();
    }
    if (decoded.hasArray()) {
      stream(new ZstdBufferDecompressingStreamNoFinalizer(in), in, decoded);
    } else {
      ByteBuffer out = ByteBuffer.allocate(decoded.remaining());
      stream(new ZstdBufferDecompressingStreamNoFinalizer(in), in, out);
      decoded.put(out.flip());
    }
  }

  private static void stream(
      BaseZstdBufferDecompressingStreamNoFinalizer opened, ByteBuffer encoded, ByteBuffer decoded)
      throws IOException {
    int start = encoded.position();
    int length = encoded.remaining();
    try (BaseZstdBufferDecompressingStreamNoFinalizer frames = opened) {
      frames.setLongMax(MAX_WINDOW_LOG);
      while (decoded.hasRemaining()) {
        int before = encoded.position();
        if (frames.read(decoded) == 0 && encoded.position() == before) {
          throw corrupt(
              "ends %d bytes early".formatted(decoded.remaining()),
              length,
              encoded.position() - start);
        }
      }
    } catch (ZstdIOException e) {
      CorruptException corrupt =
          corrupt(
              "%s, %d bytes before the end".formatted(e.getMessage(), decoded.remaining()),
              length,
              encoded.position() - start);
      corrupt.initCause(e);
      throw corrupt;
    }
  }

  private static CorruptException corrupt(String message, int length, int offset) {
    return new CorruptException(
        "zstd: " + message, "chunk of " + length + " encoded bytes", offset);
  }
}

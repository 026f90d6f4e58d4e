package sluice.formats.decode;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdException;
import java.nio.ByteBuffer;
import sluice.core.CorruptException;

/**
 * zstd frames (RFC 8878). The library decodes straight into the room that it is given, so the
 * window that a frame declares allocates nothing.
 */
final class ZstdDecoder {

  private ZstdDecoder() {}

  static void decode(ByteBuffer encoded, ByteBuffer decoded) throws CorruptException {
    int expected = decoded.remaining();
    long found;
    try {
      found = decompress(encoded, decoded);
    } catch (ZstdException e) {
      throw corrupt(e.getMessage() + ", expected " + expected + " bytes", encoded);
    }
    if (found != expected) {
      throw corrupt("decodes to %d bytes, expected %d".formatted(found, expected), encoded);
    }
    decoded.position(decoded.limit());
  }

  private static long decompress(ByteBuffer encoded, ByteBuffer decoded) {
    if (encoded.isDirect() && decoded.isDirect()) {
      return Zstd.decompressDirectByteBuffer(
          decoded,
          decoded.position(),
          decoded.remaining(),
          encoded,
          encoded.position(),
          encoded.remaining());
    }
    byte[] in;
    int from;
    if (encoded.hasArray()) {
      in = encoded.array();
      from = encoded.arrayOffset() + encoded.position();
    } else {
      in = new byte[encoded.remaining()];
      encoded.get(encoded.position(), in);
      from = 0;
    }
    if (decoded.hasArray()) {
      return Zstd.decompressByteArray(
          decoded.array(),
          decoded.arrayOffset() + decoded.position(),
          decoded.remaining(),
          in,
          from,
          encoded.remaining());
    }
    byte[] out = new byte[decoded.remaining()];
    long length = Zstd.decompressByteArray(out, 0, out.length, in, from, encoded.remaining());
    decoded.duplicate().put(out);
    return length;
  }

  private static CorruptException corrupt(String message, ByteBuffer encoded) {
    return new CorruptException(
        "zstd: " + message, "chunk of " + encoded.remaining() + " encoded bytes", -1);
  }
}

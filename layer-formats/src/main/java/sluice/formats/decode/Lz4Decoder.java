package sluice.formats.decode;

import java.nio.ByteBuffer;
import net.jpountz.lz4.LZ4Exception;
import net.jpountz.lz4.LZ4Factory;
import net.jpountz.lz4.LZ4SafeDecompressor;
import sluice.core.CorruptException;

/** Raw LZ4 blocks (the LZ4 block format), whose length stands elsewhere. */
final class Lz4Decoder {
  /** The "safe" one checks both ends of both buffers; the faster ones trust their input. */
  private static final LZ4SafeDecompressor DECOMPRESSOR =
      LZ4Factory.fastestInstance().safeDecompressor();

  private Lz4Decoder() {}

  static void decode(ByteBuffer encoded, ByteBuffer decoded) throws CorruptException {
    int expected = decoded.remaining();
    int found;
    try {
      found =
          DECOMPRESSOR.decompress(
              encoded,
              encoded.position(),
              encoded.remaining(),
              decoded,
              decoded.position(),
              expected);
    } catch (LZ4Exception e) {
      throw corrupt("not a block of " + expected + " bytes: " + e.getMessage(), encoded);
    }
    if (found != expected) {
      throw corrupt("decodes to %d bytes, expected %d".formatted(found, expected), encoded);
    }
    decoded.position(decoded.limit());
  }

  private static CorruptException corrupt(String message, ByteBuffer encoded) {
    return new CorruptException(
        "lz4: " + message, "chunk of " + encoded.remaining() + " encoded bytes", -1);
  }
}

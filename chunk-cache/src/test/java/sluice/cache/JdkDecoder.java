package sluice.cache;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.zip.GZIPInputStream;
import sluice.core.ChunkDecoder;
import sluice.core.ChunkEncoding;
import sluice.core.CorruptException;

/** Decodes the encodings that the JDK itself can: plain bytes and gzip. */
final class JdkDecoder implements ChunkDecoder {

  @Override
  public void decode(
      ChunkEncoding encoding, ByteBuffer encoded, ByteBuffer window, ByteBuffer decoded)
      throws IOException {
    byte[] bytes = new byte[encoded.remaining()];
    encoded.get(bytes);
    try (InputStream in = new GZIPInputStream(new ByteArrayInputStream(bytes))) {
      byte[] out = in.readNBytes(decoded.remaining());
      decoded.put(out);
    } catch (IOException e) {
      throw new CorruptException("gzip: " + e.getMessage(), "test", 0);
    }
    if (decoded.hasRemaining()) {
      throw new CorruptException("gzip: too short", "test", 0);
    }
  }

  @Override
  public InputStream decode(ChunkEncoding.WholeStream encoding, InputStream encoded)
      throws IOException {
    return switch (encoding.compression()) {
      case NONE -> encoded;
      case GZIP -> new GZIPInputStream(encoded);
      case ZSTD -> throw new CorruptException("zstd: not in the JDK", "test", 0);
    };
  }
}

package sluice.formats.decode;

import com.github.luben.zstd.ZstdInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.zip.GZIPInputStream;
import sluice.core.ChunkEncoding.StreamCompression;

/** Decodes whole layers as they stream. */
final class StreamDecoder {
  private static final int BUFFER_BYTES = 64 * 1024;

  private StreamDecoder() {}

  /**
   * Takes ownership of {@code encoded}, also when it throws. At the end of the result the rest of
   * {@code encoded} is read too.
   */
  static InputStream open(StreamCompression compression, InputStream encoded) throws IOException {
    try {
      return switch (compression) {
        case NONE -> encoded;
        case GZIP -> new Drained(new GZIPInputStream(encoded, BUFFER_BYTES), encoded);
        case ZSTD -> new Drained(new ZstdInputStream(encoded), encoded);
      };
    } catch (IOException e) {
      try {
        encoded.close();
      } catch (IOException suppressed) {
        e.addSuppressed(suppressed);
      }
      throw e;
    }
  }

  /** Reads its source to the end once the decoded stream has ended. */
  private static final class Drained extends FilterInputStream {
    private final InputStream encoded;

    Drained(InputStream decoded, InputStream encoded) {
      super(decoded);
      this.encoded = encoded;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      int count = super.read(into, offset, length);
      if (count < 0) {
        encoded.transferTo(OutputStream.nullOutputStream());
      }
      return count;
    }
  }
}

package sluice.formats.stream;

import com.github.luben.zstd.ZstdIOException;
import com.github.luben.zstd.ZstdInputStreamNoFinalizer;
import java.io.IOException;
import java.io.InputStream;
import sluice.core.CorruptException;

/**
 * The content of zstd frames, one after another; skippable frames are skipped (RFC 8878). libzstd
 * verifies checksums where frames have them.
 */
final class ZstdStream extends InputStream {

  /**
   * The largest window, as a power of two: 128 MiB, the most that {@code zstd} itself takes without
   * being told to ({@code ZSTD_WINDOWLOG_LIMIT_DEFAULT}).
   */
  private static final int MAX_WINDOW_LOG = 27;

  private final CountingInput encoded;
  private final ZstdInputStreamNoFinalizer frames;
  private final String resource;

  private ZstdStream(CountingInput encoded, ZstdInputStreamNoFinalizer frames, String resource) {
    this.encoded = encoded;
    this.frames = frames;
    this.resource = resource;
  }

  /** Takes ownership of {@code encoded}, also when it throws. */
  static ZstdStream open(InputStream encoded, String resource) throws IOException {
    CountingInput counted = new CountingInput(encoded);
    try {
      ZstdInputStreamNoFinalizer frames = new ZstdInputStreamNoFinalizer(counted);
      frames.setLongMax(MAX_WINDOW_LOG);
      return new ZstdStream(counted, frames, resource);
    } catch (IOException e) {
      counted.close();
      throw e;
    }
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    try {
      return frames.read(into, offset, length);
    } catch (ZstdIOException e) {
      CorruptException corrupt =
          new CorruptException("zstd: " + e.getMessage(), resource, encoded.count());
      corrupt.initCause(e);
      throw corrupt;
    }
  }

  @Override
  public void close() throws IOException {
    frames.close();
  }
}

package sluice.formats.inflate;

import java.nio.ByteBuffer;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.jspecify.annotations.Nullable;

/** The zlib that every JDK has. */
final class JdkInflater implements RawInflater {

  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

  private final Inflater inflater = new Inflater(true);

  /** What the first bits already break; told with the bytes that follow them. */
  private @Nullable DataFormatException error;

  @Override
  public void start() {
    inflater.reset();
    error = null;
  }

  @Override
  public void start(int firstByte, int bits, ByteBuffer window) {
    start();
    if (bits > 0) {
      prime(firstByte, bits);
    }
    if (window.hasRemaining()) {
      inflater.setDictionary(window.duplicate());
    }
  }

  private void prime(int firstByte, int bits) {
    inflater.setInput(DeflatePrimer.bytes(firstByte, bits));
    try {
      if (inflater.inflate(new byte[1]) != 0) {
        throw new AssertionError("blocks that hold nothing put something out");
      }
    } catch (DataFormatException e) {
      error = e;
    }
  }

  @Override
  public boolean inflate(ByteBuffer encoded, ByteBuffer decoded) throws DataFormatException {
    if (error != null) {
      throw error;
    }
    inflater.setInput(encoded);
    try {
      while (decoded.hasRemaining() && !inflater.finished()) {
        if (inflater.inflate(decoded) == 0 && !inflater.finished()) {
          break;
        }
      }
      return inflater.finished();
    } finally {
      inflater.setInput(NOTHING);
    }
  }

  @Override
  public void close() {
    inflater.end();
  }
}

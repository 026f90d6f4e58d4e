package sluice.formats.toc;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import sluice.core.CorruptException;

/** A stream of a known length within another one, which it does not close. */
final class LimitedInput extends FilterInputStream {

  private final String resource;
  private long left;

  LimitedInput(InputStream in, long length, String resource) {
    super(in);
    this.left = length;
    this.resource = resource;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    if (left == 0) {
      return -1;
    }
    int count = super.read(into, offset, (int) Math.min(length, left));
    if (count < 0) {
      throw new CorruptException("TOC: ends %d bytes early".formatted(left), resource, -1);
    }
    left -= count;
    return count;
  }

  @Override
  public boolean markSupported() {
    return false;
  }

  @Override
  public void close() {}
}

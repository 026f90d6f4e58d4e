package sluice.formats.stream;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import sluice.core.CorruptException;
import sluice.formats.inflate.GzipHeader;
import sluice.formats.inflate.RawInflater;

/**
 * The content of gzip members, one after another (RFC 1952).
 *
 * <p>Not {@link java.util.zip.GZIPInputStream}: that one takes whatever follows a member for its
 * end if it is no member, so that a damaged layer would look like a short one.
 */
final class GzipStream extends InputStream {

  private static final int BUFFER_BYTES = 64 * 1024;

  /** An inflater has something to do at each call, so small reads are served from a buffer. */
  private static final int LARGE_READ_BYTES = 32 * 1024;

  private final InputStream source;
  private final String resource;
  private final RawInflater inflater;
  private final GzipHeader header = new GzipHeader();
  private final CRC32 crc = new CRC32();

  /** What was read and not decoded, and some of what was: the inflater may give that back. */
  private final ByteBuffer encoded = ByteBuffer.allocate(BUFFER_BYTES).limit(0);

  /** Offset in the stream of the buffer's first byte. */
  private long bufferOffset;

  private final ByteBuffer small = ByteBuffer.allocate(LARGE_READ_BYTES).limit(0);
  private long memberBytes;
  private boolean inMember;
  private boolean started;
  private boolean closed;

  /** Takes ownership of both. */
  GzipStream(InputStream source, String resource, RawInflater inflater) {
    this.source = source;
    this.resource = resource;
    this.inflater = inflater;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    if (closed) {
      throw new IOException("gzip stream of " + resource + " is closed");
    }
    if (length == 0) {
      return 0;
    }
    if (!small.hasRemaining()) {
      if (length >= LARGE_READ_BYTES) {
        return decode(ByteBuffer.wrap(into, offset, length).slice());
      }
      int count = decode(small.clear());
      small.position(0).limit(Math.max(count, 0));
      if (count < 0) {
        return -1;
      }
    }
    int count = Math.min(length, small.remaining());
    small.get(into, offset, count);
    return count;
  }

  @Override
  public void close() throws IOException {
    if (!closed) {
      closed = true;
      inflater.close();
      source.close();
    }
  }

  /** Decodes some bytes from position 0 of {@code decoded} on; -1 at the end of the stream. */
  private int decode(ByteBuffer decoded) throws IOException {
    try {
      while (inMember || nextMember()) {
        boolean ended = inflater.inflate(encoded, decoded);
        int count = decoded.position();
        crc.update(decoded.array(), decoded.arrayOffset(), count);
        memberBytes += count;
        if (ended) {
          trailer();
        }
        if (count > 0) {
          return count;
        }
        if (!ended && !fill()) {
          throw corrupt("the stream ends inside a member");
        }
      }
      return -1;
    } catch (DataFormatException e) {
      CorruptException corrupt = corrupt(String.valueOf(e.getMessage()));
      corrupt.initCause(e);
      throw corrupt;
    }
  }

  /** Reads the header of the next member; false at the end of the stream. */
  private boolean nextMember() throws IOException, DataFormatException {
    if (!encoded.hasRemaining() && !fill()) {
      if (!started) {
        throw corrupt("the stream is empty");
      }
      return false;
    }
    header.start();
    try {
      while (!header.accept(next("header"))) {
        // Until it is complete.
      }
    } catch (DataFormatException e) {
      if (started) {
        throw new DataFormatException("what follows the last member is none: " + e.getMessage());
      }
      throw e;
    }
    started = true;
    inMember = true;
    crc.reset();
    memberBytes = 0;
    inflater.start();
    return true;
  }

  private void trailer() throws IOException {
    inMember = false;
    int expectedCrc = int32();
    int expectedLength = int32();
    if (expectedCrc != (int) crc.getValue()) {
      throw corrupt(
          "member: CRC 0x%08x, expected 0x%08x".formatted((int) crc.getValue(), expectedCrc));
    }
    if (expectedLength != (int) memberBytes) {
      throw corrupt(
          "member: %d bytes, expected %d modulo 2^32"
              .formatted(memberBytes, Integer.toUnsignedLong(expectedLength)));
    }
  }

  private int int32() throws IOException {
    int value = 0;
    for (int i = 0; i < Integer.BYTES; i++) {
      value |= (next("trailer") & 0xff) << (Byte.SIZE * i);
    }
    return value;
  }

  private byte next(String what) throws IOException {
    if (!encoded.hasRemaining() && !fill()) {
      throw corrupt("the stream ends inside a member's " + what);
    }
    return encoded.get();
  }

  /** Reads on, when all that was read has been used; false at the end of the stream. */
  private boolean fill() throws IOException {
    int kept = Math.min(encoded.position(), RawInflater.GIVEN_BACK_BYTES);
    bufferOffset += encoded.position() - kept;
    encoded.position(encoded.position() - kept).compact().flip();
    encoded.position(kept);
    int read = source.read(encoded.array(), kept, encoded.capacity() - kept);
    encoded.limit(kept + Math.max(read, 0));
    return read > 0;
  }

  private CorruptException corrupt(String problem) {
    return new CorruptException("gzip: " + problem, resource, bufferOffset + encoded.position());
  }
}

package sluice.formats.stream;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import sluice.core.CorruptException;

/**
 * The content of gzip members, one after another (RFC 1952).
 *
 * <p>Not {@link java.util.zip.GZIPInputStream}: that one takes whatever follows a member for its
 * end if it is no member, so that a damaged layer would look like a short one.
 *
 * <pre>
 *  0  ID1 ID2  1f 8b
 *  2  CM       8, deflate
 *  3  FLG      1 FTEXT, 2 FHCRC, 4 FEXTRA, 8 FNAME, 16 FCOMMENT
 *  4  MTIME    4 bytes
 *  8  XFL, OS
 * 10  FEXTRA   length (2) and field; FNAME and FCOMMENT, each up to a NUL; FHCRC (2)
 *  …  deflate blocks
 *  …  CRC32, ISIZE of the content, 4 bytes each
 * </pre>
 */
final class GzipStream extends InputStream {

  private static final int BUFFER_BYTES = 64 * 1024;

  private static final int MAGIC = 0x8b1f;
  private static final int DEFLATE = 8;
  private static final int FLAG_HEADER_CRC = 2;
  private static final int FLAG_EXTRA = 4;
  private static final int FLAG_NAME = 8;
  private static final int FLAG_COMMENT = 16;

  /** Bytes from MTIME to OS. */
  private static final int UNUSED_FIELDS_BYTES = 6;

  /** Longer names and comments are refused by Go's reader, and so by containerd. */
  private static final int MAX_TEXT_BYTES = 512;

  private final InputStream encoded;
  private final String resource;
  private final Inflater inflater = new Inflater(true);
  private final CRC32 contentCrc = new CRC32();
  private final CRC32 headerCrc = new CRC32();
  private final byte[] buffer = new byte[BUFFER_BYTES];

  /** The unread part of the buffer; while a member is inflated the inflater holds its own. */
  private int position;

  private int limit;

  /** Offset in the stream of the buffer's first byte. */
  private long bufferOffset;

  private boolean inMember;
  private boolean started;
  private boolean closed;

  GzipStream(InputStream encoded, String resource) {
    this.encoded = encoded;
    this.resource = resource;
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
    while (inMember || nextMember()) {
      int count = inflate(into, offset, length);
      if (count > 0) {
        contentCrc.update(into, offset, count);
        return count;
      }
      trailer();
    }
    return -1;
  }

  @Override
  public void close() throws IOException {
    if (!closed) {
      closed = true;
      inflater.end();
      encoded.close();
    }
  }

  /** Inflates some bytes; 0 at the end of the member's blocks. */
  private int inflate(byte[] into, int offset, int length) throws IOException {
    try {
      int count;
      while ((count = inflater.inflate(into, offset, length)) == 0) {
        if (inflater.finished()) {
          position = limit - inflater.getRemaining();
          return 0;
        }
        if (inflater.needsDictionary()) {
          throw corrupt("a preset dictionary is asked for");
        }
        if (!fill()) {
          throw corrupt("the stream ends inside a member");
        }
        inflater.setInput(buffer, 0, limit);
        position = limit;
      }
      return count;
    } catch (DataFormatException e) {
      position = limit - inflater.getRemaining();
      CorruptException corrupt = corrupt(String.valueOf(e.getMessage()));
      corrupt.initCause(e);
      throw corrupt;
    }
  }

  /** Reads the header of the next member; false at the end of the stream. */
  private boolean nextMember() throws IOException {
    if (position == limit && !fill()) {
      if (!started) {
        throw corrupt("the stream is empty");
      }
      return false;
    }
    try {
      header();
    } catch (EOFException e) {
      CorruptException corrupt = corrupt("the stream ends inside a member's header");
      corrupt.initCause(e);
      throw corrupt;
    }
    started = true;
    inMember = true;
    contentCrc.reset();
    inflater.reset();
    inflater.setInput(buffer, position, limit - position);
    return true;
  }

  private void header() throws IOException {
    headerCrc.reset();
    int magic = uint16();
    int method = uint8();
    if (magic != MAGIC || method != DEFLATE) {
      throw corrupt(
          "%s: magic 0x%04x, method %d, expected 0x%04x, %d"
              .formatted(
                  started ? "what follows the last member is none" : "member header",
                  magic,
                  method,
                  MAGIC,
                  DEFLATE));
    }
    int flags = uint8();
    skip(UNUSED_FIELDS_BYTES);
    if ((flags & FLAG_EXTRA) != 0) {
      skip(uint16());
    }
    if ((flags & FLAG_NAME) != 0) {
      skipText("name");
    }
    if ((flags & FLAG_COMMENT) != 0) {
      skipText("comment");
    }
    if ((flags & FLAG_HEADER_CRC) != 0) {
      int actual = (int) headerCrc.getValue() & 0xffff;
      int expected = uint16();
      if (actual != expected) {
        throw corrupt("member header: CRC 0x%04x, expected 0x%04x".formatted(actual, expected));
      }
    }
  }

  private void trailer() throws IOException {
    inMember = false;
    int crc;
    int size;
    try {
      crc = int32();
      size = int32();
    } catch (EOFException e) {
      CorruptException corrupt = corrupt("the stream ends inside a member's trailer");
      corrupt.initCause(e);
      throw corrupt;
    }
    if (crc != (int) contentCrc.getValue()) {
      throw corrupt(
          "member: CRC 0x%08x, expected 0x%08x".formatted((int) contentCrc.getValue(), crc));
    }
    if (size != (int) inflater.getBytesWritten()) {
      throw corrupt(
          "member: %d bytes, expected %d modulo 2^32"
              .formatted(inflater.getBytesWritten(), Integer.toUnsignedLong(size)));
    }
  }

  private void skipText(String what) throws IOException {
    for (int i = 0; i < MAX_TEXT_BYTES; i++) {
      if (uint8() == 0) {
        return;
      }
    }
    throw corrupt("member header: %s of more than %d bytes".formatted(what, MAX_TEXT_BYTES - 1));
  }

  private void skip(int length) throws IOException {
    for (int i = 0; i < length; i++) {
      uint8();
    }
  }

  private int int32() throws IOException {
    return uint16() | uint16() << 16;
  }

  private int uint16() throws IOException {
    return uint8() | uint8() << 8;
  }

  private int uint8() throws IOException {
    if (position == limit && !fill()) {
      throw new EOFException();
    }
    byte value = buffer[position++];
    headerCrc.update(value);
    return value & 0xff;
  }

  /** Fills the buffer again, all of which has been read; false at the end of the stream. */
  private boolean fill() throws IOException {
    bufferOffset += limit;
    limit = 0;
    position = 0;
    int read = encoded.read(buffer, 0, buffer.length);
    limit = Math.max(read, 0);
    return read > 0;
  }

  private CorruptException corrupt(String problem) {
    return new CorruptException("gzip: " + problem, resource, bufferOffset + position);
  }
}

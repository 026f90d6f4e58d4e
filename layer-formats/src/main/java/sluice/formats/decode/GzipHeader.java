package sluice.formats.decode;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import sluice.core.CorruptException;

/**
 * The header of a gzip member (RFC 1952, section 2.3).
 *
 * <pre>
 *  0  ID1 ID2  1f 8b
 *  2  CM       8, deflate
 *  3  FLG
 *  4  MTIME (4), XFL, OS
 * 10  FEXTRA: length (2) and field; FNAME, FCOMMENT: zero-terminated; FHCRC (2)
 * </pre>
 */
final class GzipHeader {
  private static final int MAGIC = 0x8b1f;
  private static final int DEFLATE = 8;
  private static final int FIXED_BYTES = 10;
  private static final int FHCRC = 1 << 1;
  private static final int FEXTRA = 1 << 2;
  private static final int FNAME = 1 << 3;
  private static final int FCOMMENT = 1 << 4;
  private static final int RESERVED = 0xe0;

  /** CRC32 and ISIZE after the compressed blocks. */
  static final int TRAILER_BYTES = 8;

  private GzipHeader() {}

  /** Moves the position of {@code in} from a member's start to its first deflate block. */
  static void skip(ByteBuffer in) throws CorruptException {
    ByteBuffer header = in.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    need(header, FIXED_BYTES);
    int start = header.position();
    int magic = header.getShort() & 0xffff;
    int method = header.get() & 0xff;
    int flags = header.get() & 0xff;
    if (magic != MAGIC || method != DEFLATE || (flags & RESERVED) != 0) {
      throw GzipDecoder.corrupt(
          "member header: magic 0x%04x, method %d, flags 0x%02x; expected 0x8b1f, 8, no high bits"
              .formatted(magic, method, flags),
          start);
    }
    header.position(start + FIXED_BYTES);
    if ((flags & FEXTRA) != 0) {
      need(header, Short.BYTES);
      advance(header, header.getShort() & 0xffff);
    }
    if ((flags & FNAME) != 0) {
      skipText(header);
    }
    if ((flags & FCOMMENT) != 0) {
      skipText(header);
    }
    if ((flags & FHCRC) != 0) {
      advance(header, Short.BYTES);
    }
    in.position(header.position());
  }

  private static void skipText(ByteBuffer header) throws CorruptException {
    do {
      need(header, 1);
    } while (header.get() != 0);
  }

  private static void advance(ByteBuffer header, int length) throws CorruptException {
    need(header, length);
    header.position(header.position() + length);
  }

  private static void need(ByteBuffer header, int length) throws CorruptException {
    if (header.remaining() < length) {
      throw GzipDecoder.corrupt(
          "member header: %d bytes left, expected %d more".formatted(header.remaining(), length),
          header.position());
    }
  }
}

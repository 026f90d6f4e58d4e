package sluice.formats.inflate;

import java.util.zip.CRC32;
import java.util.zip.DataFormatException;

/**
 * Reads the header of a gzip member (RFC 1952, section 2.3), byte by byte. For one thread.
 *
 * <pre>
 *  0  ID1 ID2  1f 8b
 *  2  CM       8, deflate
 *  3  FLG      1 FTEXT, 2 FHCRC, 4 FEXTRA, 8 FNAME, 16 FCOMMENT
 *  4  MTIME    4 bytes
 *  8  XFL, OS
 * 10  FEXTRA   length (2) and field; FNAME and FCOMMENT, each up to a NUL; FHCRC (2)
 * </pre>
 *
 * <p>Deflate blocks follow, and a trailer: CRC32 and ISIZE of the content, 4 bytes each.
 */
public final class GzipHeader {

  /** Length of what follows the deflate blocks. */
  public static final int TRAILER_BYTES = 8;

  private static final int MAGIC = 0x8b1f;
  private static final int DEFLATE = 8;
  private static final int FLAG_CRC = 2;
  private static final int FLAG_EXTRA = 4;
  private static final int FLAG_NAME = 8;
  private static final int FLAG_COMMENT = 16;

  /** Longer names and comments are refused by Go's reader, and so by containerd. */
  private static final int MAX_TEXT_BYTES = 512;

  /** The fields, in their order. */
  private enum Field {
    MAGIC(2),
    METHOD(1),
    FLAGS(1),
    /** MTIME, XFL, OS. */
    UNUSED(6),
    EXTRA_LENGTH(2),
    EXTRA(0),
    NAME(0),
    COMMENT(0),
    CRC(2),
    END(0);

    private final int length;

    Field(int length) {
      this.length = length;
    }
  }

  private final CRC32 crc = new CRC32();
  private Field field = Field.MAGIC;

  /** Bytes of the field so far, and their value, from the lowest byte on. */
  private int count;

  private int value;
  private int magic;
  private int flags;
  private int extraLength;

  /** Begins another header. */
  public void start() {
    crc.reset();
    flags = 0;
    extraLength = 0;
    enter(Field.MAGIC);
  }

  /**
   * Takes the next byte.
   *
   * @return whether the header is complete
   * @throws DataFormatException if there is no such header
   */
  public boolean accept(byte next) throws DataFormatException {
    if (field != Field.CRC) {
      crc.update(next);
    }
    if (count < Integer.BYTES) {
      value |= (next & 0xff) << (Byte.SIZE * count);
    }
    count++;
    switch (field) {
      case NAME, COMMENT -> text(next);
      case EXTRA -> leaveAfter(extraLength);
      default -> leaveAfter(field.length);
    }
    return field == Field.END;
  }

  private void text(byte next) throws DataFormatException {
    if (next == 0) {
      leave();
    } else if (count == MAX_TEXT_BYTES) {
      throw new DataFormatException(
          "member header: %s of more than %d bytes"
              .formatted(field == Field.NAME ? "name" : "comment", MAX_TEXT_BYTES - 1));
    }
  }

  private void leaveAfter(int length) throws DataFormatException {
    if (count == length) {
      leave();
    }
  }

  private void leave() throws DataFormatException {
    switch (field) {
      case MAGIC -> magic = value;
      case METHOD -> checkMagic();
      case FLAGS -> flags = value;
      case EXTRA_LENGTH -> extraLength = value;
      case CRC -> checkCrc();
      default -> {
        // Of no use to us.
      }
    }
    Field next = following(field);
    while (!isThere(next)) {
      next = following(next);
    }
    enter(next);
  }

  private static Field following(Field which) {
    return switch (which) {
      case MAGIC -> Field.METHOD;
      case METHOD -> Field.FLAGS;
      case FLAGS -> Field.UNUSED;
      case UNUSED -> Field.EXTRA_LENGTH;
      case EXTRA_LENGTH -> Field.EXTRA;
      case EXTRA -> Field.NAME;
      case NAME -> Field.COMMENT;
      case COMMENT -> Field.CRC;
      case CRC, END -> Field.END;
    };
  }

  private boolean isThere(Field which) {
    return switch (which) {
      case EXTRA_LENGTH -> (flags & FLAG_EXTRA) != 0;
      case EXTRA -> extraLength > 0;
      case NAME -> (flags & FLAG_NAME) != 0;
      case COMMENT -> (flags & FLAG_COMMENT) != 0;
      case CRC -> (flags & FLAG_CRC) != 0;
      case MAGIC, METHOD, FLAGS, UNUSED, END -> true;
    };
  }

  private void enter(Field next) {
    field = next;
    count = 0;
    value = 0;
  }

  private void checkMagic() throws DataFormatException {
    if (magic != MAGIC || value != DEFLATE) {
      throw new DataFormatException(
          "member header: magic 0x%04x, method %d, expected 0x%04x, %d"
              .formatted(magic, value, MAGIC, DEFLATE));
    }
  }

  private void checkCrc() throws DataFormatException {
    int actual = (int) crc.getValue() & 0xffff;
    if (actual != value) {
      throw new DataFormatException(
          "member header: CRC 0x%04x, expected 0x%04x".formatted(actual, value));
    }
  }
}

package sluice.formats.toc;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import sluice.core.CorruptException;

/**
 * The tar entry that holds a TOC (POSIX ustar header, 512 bytes): name at 0 (100 bytes), size at
 * 124 (12 octal digits), type at 156.
 */
final class TocTar {

  private static final byte[] NAME = "stargz.index.json".getBytes(StandardCharsets.US_ASCII);
  private static final int HEADER_BYTES = 512;
  private static final int SIZE_AT = 124;
  private static final int SIZE_BYTES = 12;
  private static final int TYPE_AT = 156;

  private TocTar() {}

  /**
   * Reads the header, after which the TOC follows.
   *
   * @param blobOffset where the gzip member of this tar begins in its blob; for errors
   * @return length of the TOC in bytes, not yet compared with any limit
   */
  static long open(InputStream tar, String resource, long blobOffset) throws IOException {
    byte[] header = tar.readNBytes(HEADER_BYTES);
    if (header.length < HEADER_BYTES) {
      throw new CorruptException(
          "TOC: tar header of %d bytes, expected %d".formatted(header.length, HEADER_BYTES),
          resource,
          blobOffset);
    }
    boolean named = Arrays.equals(header, 0, NAME.length, NAME, 0, NAME.length);
    boolean file = header[TYPE_AT] == '0' || header[TYPE_AT] == 0;
    if (!named || header[NAME.length] != 0 || !file) {
      throw new CorruptException(
          "TOC: tar header: \"%s\" of type %d, expected the file \"%s\""
              .formatted(
                  new String(header, 0, NAME.length, StandardCharsets.ISO_8859_1),
                  header[TYPE_AT],
                  new String(NAME, StandardCharsets.US_ASCII)),
          resource,
          blobOffset);
    }
    return size(header, resource, blobOffset);
  }

  private static long size(byte[] header, String resource, long blobOffset)
      throws CorruptException {
    long size = 0;
    for (int i = SIZE_AT; i < SIZE_AT + SIZE_BYTES; i++) {
      byte digit = header[i];
      if (digit == 0 || digit == ' ') {
        break;
      }
      if (digit < '0' || digit > '7') {
        throw new CorruptException(
            "TOC: tar header: byte 0x%02x at %d, expected an octal digit of the size"
                .formatted(digit, i),
            resource,
            blobOffset);
      }
      size = 8 * size + digit - '0';
    }
    return size;
  }
}

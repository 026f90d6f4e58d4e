package sluice.formats.rafs;

import static sluice.formats.rafs.Layout.LE_INT;
import static sluice.formats.rafs.Layout.LE_LONG;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;
import sluice.core.CorruptException;
import sluice.core.Digest;

/**
 * What follows the parts of a blob: a tar header behind each part, and a table of contents at the
 * end.
 */
final class BlobTrailer {
  static final int TAR_HEADER_BYTES = 512;

  static final String DATA = "image.blob";
  static final String CONTEXTS = "blob.meta";
  static final String CONTEXTS_HEADER = "blob.meta.header";
  static final String DIGESTS = "blob.digest";
  static final String CONTENTS = "rafs.blob.toc";

  private static final Pattern OCTAL = Pattern.compile("[0-7]{11}");

  private BlobTrailer() {}

  /**
   * The header of a part of {@code lengthBytes}, as nydus writes it: GNU tar, mode and owner empty,
   * and unlike in a tar behind the content, which is not padded.
   *
   * <pre>
   *   0 name; 124 size, 136 mtime, 148 checksum, each octal with a NUL; 156 type '0'; 257 "ustar  "
   * </pre>
   */
  static byte[] tarHeader(String name, long lengthBytes) {
    byte[] header = new byte[TAR_HEADER_BYTES];
    put(header, 0, name);
    put(header, 124, octal(lengthBytes, 11));
    put(header, 136, octal(0, 11));
    put(header, 156, "0");
    put(header, 257, "ustar  ");
    // The checksum counts its own field as spaces.
    int sum = 8 * ' ';
    for (byte b : header) {
      sum += b & 0xff;
    }
    put(header, 148, octal(sum, 7));
    return header;
  }

  /** Sizes above 8 GiB, which 11 octal digits cannot say, are binary as in GNU tar. */
  private static String octal(long value, int digits) {
    String octal = Long.toOctalString(value);
    if (octal.length() > digits) {
      StringBuilder binary = new StringBuilder("\u0080\0\0\0");
      for (int shift = 56; shift >= 0; shift -= Byte.SIZE) {
        binary.append((char) (value >>> shift & 0xff));
      }
      return binary.toString();
    }
    return "0".repeat(digits - octal.length()) + octal;
  }

  /**
   * The table of contents at the end of a blob.
   *
   * @throws CorruptException if there is none
   */
  static MemorySegment contents(MemorySegment blob, String resource) throws CorruptException {
    long header = blob.byteSize() - TAR_HEADER_BYTES;
    Layout.require(blob, header, TAR_HEADER_BYTES, "tar header of " + CONTENTS, resource);
    byte[] name = Layout.bytes(blob, header, CONTENTS.length() + 1);
    String digits = new String(Layout.bytes(blob, header + 124, 11), StandardCharsets.ISO_8859_1);
    if (!new String(name, StandardCharsets.ISO_8859_1).equals(CONTENTS + '\0')
        || !OCTAL.matcher(digits).matches()) {
      throw new CorruptException(
          "no tar header of %s at the end".formatted(CONTENTS), resource, header);
    }
    long length = Long.parseLong(digits, 8);
    Layout.require(blob, header - length, length, CONTENTS, resource);
    return blob.asSlice(header - length, length);
  }

  private static void put(byte[] header, int at, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
    System.arraycopy(bytes, 0, header, at, bytes.length);
  }

  /**
   * An entry of the table of contents: {@code TocEntry}.
   *
   * <pre>
   *  0 u32 flags: 1 not compressed, 2 zstd; u32 reserved; u8[16] name
   * 24 u8[32] SHA-256 of the uncompressed content
   * 56 u64 offset, u64 compressed size, u64 uncompressed size; up to 128 reserved
   * </pre>
   */
  record TocEntry(
      String name,
      Compressor compressor,
      Digest digest,
      long offset,
      long encodedBytes,
      long decodedBytes) {
    static final int BYTES = 128;

    private static final int FLAG_PLAIN = 1;
    private static final int FLAG_ZSTD = 2;

    void write(MemorySegment toc, long at) {
      toc.set(LE_INT, at, compressor == Compressor.ZSTD ? FLAG_ZSTD : FLAG_PLAIN);
      byte[] bytes = name.getBytes(StandardCharsets.US_ASCII);
      MemorySegment.copy(bytes, 0, toc, ValueLayout.JAVA_BYTE, at + 8, bytes.length);
      byte[] hash = digest.bytes();
      MemorySegment.copy(hash, 0, toc, ValueLayout.JAVA_BYTE, at + 24, hash.length);
      toc.set(LE_LONG, at + 56, offset);
      toc.set(LE_LONG, at + 64, encodedBytes);
      toc.set(LE_LONG, at + 72, decodedBytes);
    }
  }
}

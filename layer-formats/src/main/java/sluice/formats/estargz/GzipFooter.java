package sluice.formats.estargz;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/**
 * The last gzip member of an eStargz layer, which holds nothing but an extra field (RFC 1952,
 * 2.3.1.1; stargz-snapshotter, {@code estargz/gzip.go} and {@code estargz/externaltoc}).
 *
 * <pre>
 *       51 bytes                     47 bytes (stargz)            46 bytes (external TOC)
 *  0    1f 8b 08 04, 6 more          the same                     the same
 * 10    1a 00         XLEN 26        16 00         XLEN 22        15 00         XLEN 21
 * 12    "SG" 16 00    22 bytes       "%016xSTARGZ" TOC offset     "SG" 11 00    17 bytes
 * 16    "%016xSTARGZ" TOC offset                                  "STARGZEXTERNALTOC"
 *       an empty block, CRC-32 and length 0, in all of them
 * </pre>
 */
sealed interface GzipFooter {

  /** The longest of them. */
  int MAX_BYTES = 51;

  /** The shortest of them. */
  int MIN_BYTES = 46;

  /**
   * The TOC lies in the layer.
   *
   * @param tocOffset first byte of the TOC's gzip member in the blob; 0 or more, or anything else
   *     that 16 hexadecimal digits can say
   * @param bytes length of the footer
   */
  record Embedded(long tocOffset, int bytes) implements GzipFooter {}

  /** The TOC lies in an image of its own. */
  record External() implements GzipFooter {}

  /**
   * Finds the footer.
   *
   * @param tail the last bytes of a blob, {@value #MAX_BYTES} if there are as many
   */
  static Optional<GzipFooter> find(byte[] tail) {
    return extra(tail, 51)
        .filter(extra -> isSubfield(extra, 22))
        .flatMap(extra -> tocOffset(extra, 4))
        .<GzipFooter>map(offset -> new Embedded(offset, 51))
        .or(() ->
            extra(tail, 47)
                .flatMap(extra -> tocOffset(extra, 0))
                .map(offset -> new Embedded(offset, 47)))
        .or(() ->
            extra(tail, 46)
                .filter(extra -> isSubfield(extra, 17))
                .filter(extra -> text(extra, 4).equals("STARGZEXTERNALTOC"))
                .map(extra -> new External()));
  }

  /** The extra field of a member of {@code length} bytes at the end that fills it. */
  private static Optional<byte[]> extra(byte[] tail, int length) {
    int at = tail.length - length;
    int extraBytes = length - 10 - 2 - 5 - 8;
    boolean member =
        at >= 0
            && tail[at] == 0x1f
            && tail[at + 1] == (byte) 0x8b
            && tail[at + 2] == 8
            && tail[at + 3] == 4
            && tail[at + 10] == extraBytes
            && tail[at + 11] == 0;
    return member
        ? Optional.of(Arrays.copyOfRange(tail, at + 12, at + 12 + extraBytes))
        : Optional.empty();
  }

  private static boolean isSubfield(byte[] extra, int length) {
    return extra[0] == 'S' && extra[1] == 'G' && extra[2] == length && extra[3] == 0;
  }

  private static Optional<Long> tocOffset(byte[] extra, int at) {
    String text = text(extra, at);
    if (!text.endsWith("STARGZ") || !text.matches("[0-9a-f]{16}STARGZ")) {
      return Optional.empty();
    }
    return Optional.of(Long.parseUnsignedLong(text, 0, 16, 16));
  }

  private static String text(byte[] extra, int at) {
    return new String(extra, at, extra.length - at, StandardCharsets.ISO_8859_1);
  }
}

package sluice.formats.zstdchunked;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import sluice.core.ByteRange;

/**
 * Where the TOC ("manifest") lies in a blob: what an annotation says, or the footer, which is the
 * content of the last skippable frame (container-libs, {@code
 * pkg/chunked/internal/minimal/compression.go}; stargz-snapshotter, {@code
 * estargz/zstdchunked/zstdchunked.go}).
 *
 * <pre>
 *  0  offset of the TOC, behind the header of its skippable frame     all of them u64 LE
 *  8  its length
 * 16  its length as JSON
 * 24  its type, 1
 *     podman, 64 bytes: offset, length and length as JSON of the tar-split, which nobody needs here
 *     magic number: "GNUlInUx" in the footer of 64 bytes, "GnUlInUx" in the one of 40 bytes, which
 *     stargz writes, and podman did in 2022
 * </pre>
 *
 * @param offset first byte of the TOC in the blob
 * @param encodedBytes its length there
 * @param decodedBytes its length as JSON
 * @param type what kind of TOC it is
 */
record ManifestPosition(long offset, long encodedBytes, long decodedBytes, long type) {

  /** The longest footer. */
  static final int FOOTER_BYTES = 64;

  private static final int SHORT_FOOTER_BYTES = 40;
  private static final byte[] MAGIC = "GNUlInUx".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] SHORT_MAGIC = "GnUlInUx".getBytes(StandardCharsets.US_ASCII);

  /** Magic number and length of a skippable frame (RFC 8878, 3.1.2). */
  private static final int FRAME_HEADER_BYTES = 8;

  /** The only type ({@code manifestTypeCRFS}). */
  private static final long CRFS = 1;

  private static final Pattern ANNOTATION =
      Pattern.compile("([0-9]{1,18}):([0-9]{1,18}):([0-9]{1,18}):([0-9]{1,18})");

  /** Reads an annotation, {@code OFFSET:LENGTH:LENGTH:TYPE}; empty if it is none. */
  static Optional<ManifestPosition> parse(String annotation) {
    Matcher matcher = ANNOTATION.matcher(annotation);
    return matcher.matches()
        ? Optional.of(
            new ManifestPosition(
                Long.parseLong(matcher.group(1)),
                Long.parseLong(matcher.group(2)),
                Long.parseLong(matcher.group(3)),
                Long.parseLong(matcher.group(4))))
        : Optional.empty();
  }

  /**
   * Finds the footer.
   *
   * @param tail the last bytes of a blob, {@value #FOOTER_BYTES} if there are as many
   */
  static Optional<ManifestPosition> find(byte[] tail) {
    if (endsWith(tail, MAGIC, FOOTER_BYTES)) {
      return Optional.of(read(tail, tail.length - FOOTER_BYTES));
    }
    if (endsWith(tail, SHORT_MAGIC, SHORT_FOOTER_BYTES)) {
      return Optional.of(read(tail, tail.length - SHORT_FOOTER_BYTES));
    }
    return Optional.empty();
  }

  /** What keeps the TOC from being read there; empty if nothing does. */
  Optional<String> problem(long blobBytes) {
    if (type != CRFS) {
      return Optional.of("TOC of type %d, only %d is known".formatted(type, CRFS));
    }
    boolean inside =
        offset >= FRAME_HEADER_BYTES
            && encodedBytes > 0
            && decodedBytes > 0
            && encodedBytes <= blobBytes
            && offset <= blobBytes - encodedBytes;
    return inside
        ? Optional.empty()
        : Optional.of(
            "TOC of %s bytes at %s, and %s decoded, of a blob of %d"
                .formatted(
                    Long.toUnsignedString(encodedBytes),
                    Long.toUnsignedString(offset),
                    Long.toUnsignedString(decodedBytes),
                    blobBytes));
  }

  ByteRange range() {
    return new ByteRange(offset, encodedBytes);
  }

  /** The first byte of the blob that is no payload's: the header of the TOC's frame. */
  long payloadEnd() {
    return offset - FRAME_HEADER_BYTES;
  }

  private static boolean endsWith(byte[] tail, byte[] magic, int footerBytes) {
    return tail.length >= footerBytes
        && Arrays.equals(tail, tail.length - magic.length, tail.length, magic, 0, magic.length);
  }

  private static ManifestPosition read(byte[] tail, int at) {
    ByteBuffer fields = ByteBuffer.wrap(tail).order(ByteOrder.LITTLE_ENDIAN).position(at);
    return new ManifestPosition(
        fields.getLong(), fields.getLong(), fields.getLong(), fields.getLong());
  }
}

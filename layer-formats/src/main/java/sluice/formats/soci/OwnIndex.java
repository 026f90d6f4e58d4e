package sluice.formats.soci;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.Digest;

/**
 * What this node wrote down of a layer that it streamed: an index, or why there is none.
 *
 * <p>It is kept in a file, whose first {@value #HEADER_BYTES} bytes are lines of text, filled up
 * with empty ones; the zTOC follows.
 *
 * <pre>
 * sluice-index 1
 * layer DIGEST
 * diff-id DIGEST
 * index DIGEST SIZE MEDIA-TYPE, or: none REASON
 * </pre>
 *
 * @param layer digest of the blob
 * @param diffId that of the tar stream; both were verified as the layer streamed
 * @param ztoc the index, or null
 * @param reason why there is none; empty if there is one
 */
public record OwnIndex(Digest layer, Digest diffId, @Nullable Descriptor ztoc, String reason) {

  static final int HEADER_BYTES = 1024;

  private static final String FIRST_LINE = "sluice-index 1";
  private static final int MAX_REASON_CHARACTERS = 400;
  private static final int LINES = 4;

  /** An index. */
  static OwnIndex of(Digest layer, Digest diffId, Descriptor ztoc) {
    return new OwnIndex(layer, diffId, ztoc, "");
  }

  /** No index, and why. */
  static OwnIndex none(Digest layer, Digest diffId, String reason) {
    String line = reason.replaceAll("[^\\x20-\\x7e]", "?");
    return new OwnIndex(
        layer, diffId, null, line.substring(0, Math.min(line.length(), MAX_REASON_CHARACTERS)));
  }

  /** What stands before the zTOC. */
  ByteBuffer header() {
    String last =
        ztoc == null
            ? "none " + reason
            : "index %s %d %s".formatted(ztoc.digest(), ztoc.sizeBytes(), ztoc.mediaType());
    String text = "%s%nlayer %s%ndiff-id %s%n%s%n".formatted(FIRST_LINE, layer, diffId, last);
    byte[] bytes = text.replace("\r", "").getBytes(StandardCharsets.US_ASCII);
    byte[] header = Arrays.copyOf(bytes, HEADER_BYTES);
    Arrays.fill(header, bytes.length, HEADER_BYTES, (byte) '\n');
    return ByteBuffer.wrap(header);
  }

  /**
   * Reads a header, which must be byte for byte as it is written.
   *
   * @param fileBytes length of the whole file
   * @throws CorruptException if it is none, or does not fit the file
   */
  static OwnIndex read(byte[] header, long fileBytes, String resource) throws CorruptException {
    List<String> lines =
        new String(header, StandardCharsets.US_ASCII).lines().limit(LINES).toList();
    try {
      if (header.length == HEADER_BYTES
          && lines.size() == LINES
          && lines.getFirst().equals(FIRST_LINE)) {
        OwnIndex index = parse(lines, fileBytes - HEADER_BYTES);
        if (Arrays.equals(index.header().array(), header)) {
          return index;
        }
      }
    } catch (IllegalArgumentException e) {
      CorruptException corrupt = corrupt(lines, fileBytes, resource);
      corrupt.initCause(e);
      throw corrupt;
    }
    throw corrupt(lines, fileBytes, resource);
  }

  /** What the lines say; the size is that of the file, which the caller compares. */
  private static OwnIndex parse(List<String> lines, long ztocBytes) {
    Digest layer = Digest.parse(after("layer ", lines.get(1)));
    Digest diffId = Digest.parse(after("diff-id ", lines.get(2)));
    if (lines.get(3).startsWith("none ")) {
      return none(layer, diffId, after("none ", lines.get(3)));
    }
    String[] words = after("index ", lines.get(3)).split(" ", 3);
    if (words.length < 3) {
      throw new IllegalArgumentException("\"index DIGEST SIZE MEDIA-TYPE\" expected");
    }
    return of(layer, diffId, new Descriptor(words[2], Digest.parse(words[0]), ztocBytes));
  }

  private static String after(String prefix, String line) {
    if (!line.startsWith(prefix)) {
      throw new IllegalArgumentException("\"%s\" expected".formatted(prefix));
    }
    return line.substring(prefix.length());
  }

  private static CorruptException corrupt(List<String> lines, long fileBytes, String resource) {
    return new CorruptException(
        "index made on this node: no such header, or a file of another length than %d: %s"
            .formatted(fileBytes, lines),
        resource,
        0);
  }
}

package sluice.formats.toc;

import java.nio.charset.StandardCharsets;
import java.util.Optional;
import sluice.core.Bytes;

/** Names as JSON holds them, which are text, and as layers hold them, which are bytes. */
final class TocText {

  /** What Go's encoder writes for each byte that is not UTF-8. */
  private static final char REPLACEMENT = '\ufffd';

  private TocText() {}

  /** What keeps a text from being the bytes of a name; empty if nothing does. */
  static Optional<String> problem(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == REPLACEMENT) {
        return Optional.of(
            "holds U+FFFD, which JSON has for bytes that are not UTF-8, so the TOC cannot say what"
                + " the layer holds");
      }
      if (Character.isHighSurrogate(c)
          && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        i++;
      } else if (Character.isSurrogate(c)) {
        return Optional.of("holds half of a surrogate pair");
      }
    }
    return Optional.empty();
  }

  /** The bytes of a text that has no {@link #problem}. */
  static Bytes bytes(String text) {
    return Bytes.of(text.getBytes(StandardCharsets.UTF_8));
  }
}

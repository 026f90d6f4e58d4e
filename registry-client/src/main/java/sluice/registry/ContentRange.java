package sluice.registry;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a 206 says that it holds (RFC 9110 section 14.4).
 *
 * @param first offset of the first byte
 * @param last offset of the last byte
 * @param total length of the whole, if the server knows it
 */
record ContentRange(long first, long last, Optional<Long> total) {

  /** 18 digits fit in a long. */
  private static final Pattern FORM =
      Pattern.compile("bytes (\\d{1,18})-(\\d{1,18})/(\\d{1,18}|\\*)");

  static Optional<ContentRange> parse(String header) {
    Matcher matcher = FORM.matcher(header.strip());
    if (!matcher.matches()) {
      return Optional.empty();
    }
    String total = matcher.group(3);
    return Optional.of(
        new ContentRange(
            Long.parseLong(matcher.group(1)),
            Long.parseLong(matcher.group(2)),
            total.equals("*") ? Optional.empty() : Optional.of(Long.parseLong(total))));
  }
}

package sluice.formats.soci;

import java.io.IOException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.temporal.ChronoField;

/** Times as Go writes them: in UTC, with as many digits of the second as there are. */
final class Rfc3339 {

  private static final long FIRST = Instant.parse("0000-01-01T00:00:00Z").getEpochSecond();
  private static final long LAST = Instant.parse("9999-12-31T23:59:59Z").getEpochSecond();

  private static final DateTimeFormatter FORMAT =
      new DateTimeFormatterBuilder()
          .appendPattern("uuuu-MM-dd'T'HH:mm:ss")
          .appendFraction(ChronoField.NANO_OF_SECOND, 0, 9, true)
          .appendLiteral('Z')
          .toFormatter();

  private Rfc3339() {}

  /**
   * @throws IOException if its year has not four digits
   */
  static String text(ZtocEntry entry) throws IOException {
    if (entry.mtime() < FIRST || entry.mtime() > LAST) {
      throw new IOException(
          "zTOC: \"%s\" has the time %d, which has no year of four digits"
              .formatted(entry.name(), entry.mtime()));
    }
    return FORMAT.format(LocalDateTime.ofEpochSecond(entry.mtime(), entry.nanos(), ZoneOffset.UTC));
  }
}

package sluice.formats.toc;

import java.time.DateTimeException;
import java.time.LocalDate;

/**
 * A point in time as Go writes it into JSON: RFC 3339, {@code 2006-01-02T15:04:05.999999999Z}, or
 * with an offset as {@code +01:00}.
 *
 * @param nanos 0 to 999,999,999, forward from {@code seconds}
 */
record TocTime(long seconds, int nanos) {

  /** What a TOC says of time 0, and of no time: both are 0. */
  static final TocTime ZERO = new TocTime(0, 0);

  private static final int SECONDS_PER_DAY = 86_400;
  private static final int NANO_DIGITS = 9;
  private static final int FRACTION_AT = 19;
  private static final String FORM = "dddd-dd-ddTdd:dd:dd";

  /** Go's zero time, in days since 1970; nobody means it. */
  private static final LocalDate YEAR_ONE = LocalDate.of(1, 1, 1);

  /**
   * Reads a time.
   *
   * @throws DateTimeException if the text is none
   */
  static TocTime parse(String text) {
    if (text.isEmpty()) {
      return ZERO;
    }
    require(text.length() > FRACTION_AT, text);
    for (int i = 0; i < FRACTION_AT; i++) {
      char form = FORM.charAt(i);
      require(form == 'd' ? isDigit(text.charAt(i)) : text.charAt(i) == form, text);
    }
    LocalDate date = LocalDate.of(number(text, 0, 4), number(text, 5, 7), number(text, 8, 10));
    int hour = number(text, 11, 13);
    int minute = number(text, 14, 16);
    int second = number(text, 17, 19);
    require(hour < 24 && minute < 60 && second < 60, text);
    int zoneAt = FRACTION_AT;
    int nanos = 0;
    if (text.charAt(FRACTION_AT) == '.') {
      zoneAt++;
      while (zoneAt < text.length() && isDigit(text.charAt(zoneAt))) {
        zoneAt++;
      }
      nanos = nanos(text, zoneAt);
    }
    if (date.equals(YEAR_ONE)) {
      return ZERO;
    }
    long local = date.toEpochDay() * SECONDS_PER_DAY + (hour * 60L + minute) * 60 + second;
    return new TocTime(local - zoneSeconds(text, zoneAt), nanos);
  }

  private static int nanos(String text, int end) {
    int digits = end - FRACTION_AT - 1;
    require(digits > 0 && digits <= NANO_DIGITS, text);
    int nanos = number(text, FRACTION_AT + 1, end);
    for (int i = digits; i < NANO_DIGITS; i++) {
      nanos *= 10;
    }
    return nanos;
  }

  private static int zoneSeconds(String text, int at) {
    String zone = text.substring(at);
    if (zone.equals("Z")) {
      return 0;
    }
    require(zone.length() == 6 && zone.charAt(3) == ':', text);
    require(zone.charAt(0) == '+' || zone.charAt(0) == '-', text);
    for (int i : new int[] {1, 2, 4, 5}) {
      require(isDigit(zone.charAt(i)), text);
    }
    int seconds = (number(zone, 1, 3) * 60 + number(zone, 4, 6)) * 60;
    return zone.charAt(0) == '-' ? -seconds : seconds;
  }

  private static int number(String text, int from, int to) {
    return Integer.parseInt(text, from, to, 10);
  }

  private static boolean isDigit(char c) {
    return c >= '0' && c <= '9';
  }

  private static void require(boolean holds, String text) {
    if (!holds) {
      throw new DateTimeException("\"" + text + "\" is no time of RFC 3339");
    }
  }
}

package sluice.testing;

import java.math.BigDecimal;

/**
 * A time of modification as {@code statx} gives it: {@code nanos} counts forward from {@code
 * seconds}, also before 1970.
 */
public record Timestamp(long seconds, int nanos) implements Comparable<Timestamp> {

  private static final int NANOS_PER_SECOND = 1_000_000_000;

  public Timestamp {
    if (nanos < 0 || nanos >= NANOS_PER_SECOND) {
      throw new IllegalArgumentException("time: " + nanos + " nanoseconds");
    }
  }

  /**
   * Reads {@code seconds.nanoseconds} of the expected listings, which give the two fields of {@code
   * statx} one after the other: {@code -2.750000000} lies 1.25 s before 1970.
   */
  static Timestamp parse(String text) {
    int dot = text.indexOf('.');
    return new Timestamp(
        Long.parseLong(text, 0, dot, 10), Integer.parseInt(text, dot + 1, text.length(), 10));
  }

  @Override
  public int compareTo(Timestamp other) {
    int bySeconds = Long.compare(seconds, other.seconds);
    return bySeconds != 0 ? bySeconds : Integer.compare(nanos, other.nanos);
  }

  @Override
  public String toString() {
    return BigDecimal.valueOf(seconds).add(BigDecimal.valueOf(nanos, 9)).toPlainString() + " s";
  }
}

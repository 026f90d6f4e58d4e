package sluice.benchmarks;

import org.jspecify.annotations.Nullable;

/** What is measured on each {@link Target}. */
enum Measure {
  SMALL_WARM("20,000 files of 4 KiB, warm", Unit.SECONDS, 2.5),
  SMALL_COLD("20,000 files of 4 KiB, cold", Unit.SECONDS, null),
  LISTING("ls -lR, dentries dropped", Unit.SECONDS, 1.5),
  RANDOM_COLD("8 threads, random 4 KiB, cold", Unit.READS_PER_SECOND, 0.7),
  SEQUENTIAL_COLD("1 GiB in a row, cold", Unit.MEGABYTES_PER_SECOND, null),
  SEQUENTIAL_WARM("1 GiB in a row, warm", Unit.MEGABYTES_PER_SECOND, null);

  /** What a figure counts. */
  enum Unit {
    SECONDS("s", 3),
    READS_PER_SECOND("/s", 0),
    MEGABYTES_PER_SECOND("MB/s", 0);

    private final String symbol;
    private final int decimals;

    Unit(String symbol, int decimals) {
      this.symbol = symbol;
      this.decimals = decimals;
    }

    String format(double figure) {
      return ("%." + decimals + "f %s").formatted(figure, symbol);
    }

    boolean lessIsBetter() {
      return this == SECONDS;
    }
  }

  private final String label;
  private final Unit unit;

  /** What the raw transport may cost, as a multiple of the plain directory's figure. */
  private final @Nullable Double bound;

  Measure(String label, Unit unit, @Nullable Double bound) {
    this.label = label;
    this.unit = unit;
    this.bound = bound;
  }

  String label() {
    return label;
  }

  Unit unit() {
    return unit;
  }

  /** The bound and whether {@code ratio}, raw to plain, is within it; empty if there is none. */
  String verdict(double ratio) {
    if (bound == null) {
      return "";
    }
    boolean met = unit.lessIsBetter() ? ratio <= bound : ratio >= bound;
    return "%s %.1f %s".formatted(unit.lessIsBetter() ? "≤" : "≥", bound, met ? "met" : "MISSED");
  }
}

package sluice.command;

import java.util.Locale;

/** Numbers of bytes, for people. */
final class Sizes {

  private static final String[] UNITS = {"KiB", "MiB", "GiB", "TiB"};
  private static final double STEP = 1024;

  private Sizes() {}

  static String text(long bytes) {
    if (bytes < STEP) {
      return bytes + " B";
    }
    double value = bytes;
    int unit = -1;
    do {
      value /= STEP;
      unit++;
    } while (value >= STEP && unit < UNITS.length - 1);
    return String.format(Locale.ROOT, "%.1f %s", value, UNITS[unit]);
  }
}

package sluice.cache;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Moments at which a test stops the process, to show that what it leaves behind is right. Safe for
 * use by many threads.
 */
@FunctionalInterface
public interface Failpoints {

  /** Stops nowhere. */
  Failpoints NONE = point -> {};

  /** A moment between two steps that a crash may separate. */
  enum Point {
    /** A chunk's bytes are written, it is not yet marked present. */
    DATA_WRITTEN,
    /** A chunk is marked present in the file, nothing is synced. */
    MARKED,
    /** The data is synced, the durable map is not written. */
    DATA_SYNCED,
    /** A new device's files are written, it has not yet its name. */
    DEVICE_WRITTEN,
    /** A deleted device has lost its name, its files are still open. */
    DEVICE_UNNAMED
  }

  /** The process is at {@code point}. */
  void reached(Point point);

  /**
   * Halts the JVM at once, as a kill would, with exit status 137.
   *
   * @param text {@code POINT:N}: at the N-th time at that point; empty for never
   * @throws IllegalArgumentException if the text has another form
   */
  static Failpoints parse(String text) {
    if (text.isEmpty()) {
      return NONE;
    }
    int colon = text.indexOf(':');
    if (colon < 0) {
      throw new IllegalArgumentException("failpoint: POINT:N expected, found \"" + text + "\"");
    }
    Point halt = Point.valueOf(text.substring(0, colon));
    AtomicInteger left = new AtomicInteger(Integer.parseInt(text.substring(colon + 1)));
    return point -> {
      if (point == halt && left.decrementAndGet() == 0) {
        Runtime.getRuntime().halt(137);
      }
    };
  }
}

package sluice.snapshotter.image;

import java.util.Collections;
import java.util.Map;
import java.util.StringJoiner;
import java.util.TreeMap;

/**
 * How many layers are lazy, by the names of their formats, and how many were streamed. For one
 * thread.
 */
public final class LayerTally {

  private final Map<String, Long> lazy = new TreeMap<>();
  private long streamed;

  /** Counts a layer. */
  public void add(String format, boolean streamed) {
    if (streamed) {
      this.streamed++;
    } else {
      lazy.merge(format, 1L, Long::sum);
    }
  }

  /** How many layers are lazy by each format; formats without one are missing. A view. */
  public Map<String, Long> lazy() {
    return Collections.unmodifiableMap(lazy);
  }

  /** How many layers were streamed. */
  public long streamed() {
    return streamed;
  }

  /** In a few words: {@code 2 lazy by soci, 1 streamed}. */
  @Override
  public String toString() {
    StringJoiner words = new StringJoiner(", ");
    words.setEmptyValue("0 lazy");
    lazy.forEach((format, count) -> words.add(count + " lazy by " + format));
    if (streamed > 0) {
      words.add(streamed + " streamed");
    }
    return words.toString();
  }
}

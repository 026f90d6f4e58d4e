package sluice.registry;

import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Orders sources: those that answered last come first, then those never tried, then those that
 * failed last, and at the end those whose bytes were wrong. Safe for use by many threads; its
 * monitor guards the map and is held for map operations alone.
 *
 * <p>An answer says nothing of its bytes, and others may be on their way when the first ones turn
 * out wrong: so a source that gave wrong bytes stays at the end, whatever it answers afterwards. It
 * is still asked when the others fail.
 */
final class Recency {

  /** Sources that are remembered; the eldest are forgotten first. */
  private static final int MAX_SOURCES = 4096;

  /** Ranks of sources that gave wrong bytes are below this; no other is. */
  private static final long WRONG = Long.MIN_VALUE / 2;

  private final Map<Source, Long> ranks =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Source, Long> eldest) {
          return size() > MAX_SOURCES;
        }
      };
  private long clock;

  synchronized void succeeded(Source source) {
    rank(source, 1);
  }

  synchronized void failed(Source source) {
    rank(source, -1);
  }

  /** Bytes that {@code source} gave are not what their digest says. */
  synchronized void gaveWrongBytes(Source source) {
    clock++;
    ranks.put(source, WRONG - clock);
  }

  private void rank(Source source, int sign) {
    clock++;
    if (ranks.getOrDefault(source, 0L) > WRONG) {
      ranks.put(source, sign * clock);
    }
  }

  /** The sort is stable, so that sources of equal rank keep the caller's order. */
  synchronized List<Source> order(List<Source> sources) {
    if (sources.size() < 2) {
      return sources;
    }
    Map<Source, Long> now = new LinkedHashMap<>();
    for (Source source : sources) {
      now.put(source, ranks.getOrDefault(source, 0L));
    }
    return now.entrySet().stream()
        .sorted(Map.Entry.<Source, Long>comparingByValue(Comparator.reverseOrder()))
        .map(Map.Entry::getKey)
        .toList();
  }
}

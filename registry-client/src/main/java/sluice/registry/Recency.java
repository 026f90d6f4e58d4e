package sluice.registry;

import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Orders sources: those that answered last come first, then those never tried, then those that
 * failed last. Safe for use by many threads; its monitor guards the map and is held for map
 * operations alone.
 */
final class Recency {

  /** Sources that are remembered; the eldest are forgotten first. */
  private static final int MAX_SOURCES = 4096;

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
    clock++;
    ranks.put(source, clock);
  }

  synchronized void failed(Source source) {
    clock++;
    ranks.put(source, -clock);
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

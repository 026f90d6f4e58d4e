package sluice.registry;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import sluice.core.Digest;

/**
 * Who gave which bytes of blobs lately, until they are verified: so that who gave wrong ones can be
 * told from the other holders. Safe for use by many threads; its monitor guards the map and is held
 * for map operations alone.
 */
final class Givers {

  /** Answers that are remembered, the eldest are forgotten first; more are never on their way. */
  private static final int MAX_ANSWERS = 4096;

  private record Answered(Digest blob, long offset) {}

  private final Map<Answered, Set<Source>> givers =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Answered, Set<Source>> eldest) {
          return size() > MAX_ANSWERS;
        }
      };

  /** Notes that a read of {@code blob} from {@code offset} on was answered by {@code sources}. */
  void gave(Digest blob, long offset, Set<Source> sources) {
    Answered answered = new Answered(blob, offset);
    Set<Source> copy = Set.copyOf(sources);
    synchronized (this) {
      // Taken out first, for only a new entry is the youngest.
      givers.remove(answered);
      givers.put(answered, copy);
    }
  }

  /** Who answered the latest read of {@code blob} from {@code offset} on; forgets it. */
  synchronized Set<Source> take(Digest blob, long offset) {
    Set<Source> found = givers.remove(new Answered(blob, offset));
    return found == null ? Set.of() : found;
  }
}

package sluice.core;

import java.util.Set;

/**
 * What a format's indexes do not say of a layer, although the layer holds it. Whoever compares the
 * two must not take it for a lie.
 *
 * @param hidden names in the layer's root that are there for the format's own sake, so that trees
 *     need not show them
 * @param times what is said of times
 * @param emptyXattrsLost whether xattrs with empty values may not be there
 */
public record Fidelity(Set<Bytes> hidden, Times times, boolean emptyXattrsLost) {

  /** An index says everything. */
  public static final Fidelity EXACT = new Fidelity(Set.of(), Times.EXACT, false);

  /** How times are said. */
  public enum Times {
    /** As they are. */
    EXACT,
    /** Rounded to whole seconds. */
    WHOLE_SECONDS,
    /** Rounded to whole seconds, from 1970 on; of the root nothing is said. */
    WHOLE_SECONDS_FROM_1970
  }

  public Fidelity {
    hidden = Set.copyOf(hidden);
  }
}

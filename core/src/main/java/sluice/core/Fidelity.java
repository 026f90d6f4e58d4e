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
 * @param impliedAttributes whether a directory of which the topmost layer that has something in it
 *     has no entry may be shown as 0755, 0:0, of time 0 and without xattrs, whatever the layers
 *     below say of it
 */
public record Fidelity(
    Set<Bytes> hidden, Times times, boolean emptyXattrsLost, boolean impliedAttributes) {

  /** An index says everything. */
  public static final Fidelity EXACT = new Fidelity(Set.of(), Times.EXACT, false, false);

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

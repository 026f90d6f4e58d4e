package sluice.core;

import java.util.Set;

/**
 * What a format's indexes do not say of a layer, although the layer holds it. Whoever compares the
 * two must not take it for a lie.
 *
 * @param hidden names in the layer's root that are there for the format's own sake, so that trees
 *     need not show them
 * @param wholeSeconds whether times are rounded to whole seconds
 * @param emptyXattrsLost whether xattrs with empty values may not be there
 */
public record Fidelity(Set<Bytes> hidden, boolean wholeSeconds, boolean emptyXattrsLost) {

  /** An index says everything. */
  public static final Fidelity EXACT = new Fidelity(Set.of(), false, false);

  public Fidelity {
    hidden = Set.copyOf(hidden);
  }
}

package sluice.core;

import java.util.Set;

/**
 * What a format's indexes do not say of a layer, although the layer holds it. Whoever compares the
 * two must not take it for a lie.
 *
 * @param hidden names in the layer's root that are there for the format's own sake, so that trees
 *     do not show them
 * @param wholeSeconds whether times are rounded to whole seconds
 */
public record Fidelity(Set<Bytes> hidden, boolean wholeSeconds) {

  /** An index says everything. */
  public static final Fidelity EXACT = new Fidelity(Set.of(), false);

  public Fidelity {
    hidden = Set.copyOf(hidden);
  }
}

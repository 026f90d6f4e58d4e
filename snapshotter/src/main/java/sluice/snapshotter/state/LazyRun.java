package sluice.snapshotter.state;

import java.util.ArrayList;
import java.util.List;

/**
 * Lazy layers that are neighbours in a chain, and what lies below them; mounted as one directory.
 *
 * @param below the chain below the run, lowest first; empty, or ends with a local layer
 * @param layers the run itself, lowest first, at least one
 */
public record LazyRun(List<CommittedLayer> below, List<LazyLayer> layers) {

  public LazyRun {
    below = List.copyOf(below);
    layers = List.copyOf(layers);
    if (layers.isEmpty()) {
      throw new IllegalArgumentException("run: no layer");
    }
    if (!below.isEmpty() && below.getLast() instanceof CommittedLayer.Lazy) {
      throw new IllegalArgumentException("run: the layer below it is lazy too, so belongs to it");
    }
  }

  /** The run that a lazy layer belongs to once it lies on {@code chain}, lowest first. */
  public static LazyRun ofTop(LazyLayer top, List<CommittedLayer> chain) {
    List<LazyLayer> layers = new ArrayList<>(List.of(top));
    int below = chain.size();
    while (below > 0 && chain.get(below - 1) instanceof CommittedLayer.Lazy(LazyLayer lazy)) {
      layers.addFirst(lazy);
      below--;
    }
    return new LazyRun(chain.subList(0, below), layers);
  }

  /** The topmost layer. */
  public LazyLayer top() {
    return layers.getLast();
  }
}

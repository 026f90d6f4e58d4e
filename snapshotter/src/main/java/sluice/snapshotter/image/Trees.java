package sluice.snapshotter.image;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.Future;
import sluice.core.LayerFormat;
import sluice.core.UnservedException;

/**
 * The trees that show a chain, collected from the topmost layer down to the first whole-image tree.
 * Those that must be made are begun as they are added, and waited for together. For one thread.
 */
final class Trees {

  private final LayerLibrary layers;
  private final Deque<Tree> trees = new ArrayDeque<>();
  private boolean whole;

  Trees(LayerLibrary layers) {
    this.layers = layers;
  }

  /** One tree, there or on its way. */
  private sealed interface Tree {
    record There(KeptLayer layer) implements Tree {}

    record Coming(LayerFormat.Layer layer, LayerPlan plan, Future<KeptLayer> made)
        implements Tree {}
  }

  /** Adds a layer that the library has, below those that were added before. */
  void add(KeptLayer layer) {
    trees.addFirst(new Tree.There(layer));
    whole = layer.wholeImage();
  }

  /**
   * Adds a layer, below those that were added before.
   *
   * @throws UnservedException if it has no tree
   */
  void add(LayerFormat.Layer layer, LayerPlan plan) throws UnservedException {
    switch (plan) {
      case LayerPlan.Kept(KeptLayer kept) -> add(kept);
      case LayerPlan.Indexable indexable -> {
        trees.addFirst(new Tree.Coming(layer, plan, layers.make(layer, indexable)));
        whole = indexable.wholeImage();
      }
      case LayerPlan.DataOnly(String format) ->
          throw new UnservedException(
              "layer %s holds only data for a %s tree, and no layer above it holds the tree"
                  .formatted(layer.descriptor().digest(), format));
      case LayerPlan.Ordinary(List<String> reasons) ->
          throw new UnservedException(
              "layer %s: %s".formatted(layer.descriptor().digest(), String.join("; ", reasons)));
    }
  }

  /** Whether the lowest tree is that of the whole image, so that nothing below it counts. */
  boolean whole() {
    return whole;
  }

  /** Waits until all of them are there; lowest first. */
  List<KeptLayer> await() throws IOException, InterruptedException {
    List<KeptLayer> there = new ArrayList<>(trees.size());
    for (Tree tree : trees) {
      there.add(
          switch (tree) {
            case Tree.There(KeptLayer layer) -> layer;
            case Tree.Coming coming -> await(coming);
          });
    }
    return there;
  }

  private KeptLayer await(Tree.Coming coming) throws IOException, InterruptedException {
    LayerPlan plan = coming.plan;
    Future<KeptLayer> made = coming.made;
    while (true) {
      try {
        return layers.await(made, coming.layer);
      } catch (IOException e) {
        plan = layers.planner().planAfter(e, coming.layer, plan);
        if (plan instanceof LayerPlan.Kept(KeptLayer kept)) {
          return kept;
        }
        if (!(plan instanceof LayerPlan.Indexable next) || next.wholeImage()) {
          throw e;
        }
        made = layers.make(coming.layer, next);
      }
    }
  }
}

package sluice.snapshotter.image;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.Future;
import sluice.core.CorruptException;
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

    /** On its way, if what was said to be data for another tree can be shown as one. */
    record Tried(LayerFormat.Layer tar, String format, Future<KeptLayer> made) implements Tree {}
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
  void add(LayerFormat.Layer layer, LayerPlan plan) throws IOException, InterruptedException {
    switch (plan) {
      case LayerPlan.Kept(KeptLayer kept) -> add(kept);
      case LayerPlan.Indexable indexable -> {
        trees.addFirst(new Tree.Coming(layer, plan, layers.make(layer, indexable)));
        whole = indexable.wholeImage();
      }
      case LayerPlan.DataOnly(String format) -> addData(layer, format);
      case LayerPlan.Ordinary(List<String> reasons) ->
          throw new UnservedException(
              "layer %s: %s".formatted(layer.descriptor().digest(), String.join("; ", reasons)));
    }
  }

  /**
   * Tries a layer as an uncompressed tar. That it is only data is the word of the image that it was
   * committed for; any image may say it of the uncompressed layer of another, which must be shown
   * all the same. Its diff ID says which bytes that takes.
   */
  private void addData(LayerFormat.Layer layer, String format)
      throws IOException, InterruptedException {
    LayerFormat.Layer tar = LoneLayer.asTar(layer);
    LayerPlan plan = layers.planner().planStreamed(tar);
    if (plan instanceof LayerPlan.Indexable indexable) {
      trees.addFirst(new Tree.Tried(tar, format, layers.make(tar, indexable)));
    } else {
      add(tar, plan);
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
            case Tree.Tried tried -> await(tried);
          });
    }
    return there;
  }

  private KeptLayer await(Tree.Tried tried) throws IOException, InterruptedException {
    try {
      return layers.await(tried.made, tried.tar);
    } catch (CorruptException e) {
      UnservedException unserved =
          new UnservedException(
              "layer %s holds only data for a %s tree, no layer above it holds the tree, and it is no tar itself: %s"
                  .formatted(tried.tar.descriptor().digest(), tried.format, e.getMessage()));
      unserved.initCause(e);
      throw unserved;
    }
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

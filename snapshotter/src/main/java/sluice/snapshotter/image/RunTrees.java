package sluice.snapshotter.image;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.core.Digest;
import sluice.core.FetchException;
import sluice.core.ImageReference;
import sluice.core.LayerFormat;
import sluice.core.LayerFormat.ImagePart;
import sluice.core.Repository;
import sluice.snapshotter.state.CommittedLayer;
import sluice.snapshotter.state.LazyLayer;
import sluice.snapshotter.state.LazyRun;

/**
 * Finds the trees that show a run of committed layers. A tree that is not there is made again from
 * what the store keeps of the layer; so is that of a layer which came as a part of a RAFS variant,
 * when another image first builds on it.
 */
final class RunTrees {

  private static final Logger LOG = LoggerFactory.getLogger(RunTrees.class);

  private final LayerLibrary layers;
  private final ImageResolver resolver;

  /**
   * By which index a layer is shown that was committed without a tree, as its manifest says: no
   * mount but the first has to ask for that.
   */
  private final Map<LazyLayer, LayerKey> chosen = new ConcurrentHashMap<>();

  RunTrees(LayerLibrary layers, ImageResolver resolver) {
    this.layers = layers;
    this.resolver = resolver;
  }

  /** What a pin on these layers protects: the blobs that their trees are made of, by digest. */
  static List<Object> things(List<LazyLayer> layers) {
    List<Object> things = new ArrayList<>();
    for (LazyLayer layer : layers) {
      things.add(layer.layer().digest());
      LayerKey.ofImageTree(layer).ifPresent(tree -> things.add(tree.layer()));
    }
    return things;
  }

  /** What the run is merged of. Waits for what must be made. */
  MergeInput input(LazyRun run) throws IOException, InterruptedException {
    Trees top = begin(run.layers(), Set.of());
    List<KeptLayer> trees = top.await();
    if (top.whole() && run.below().isEmpty()) {
      int lowest = run.layers().size() - trees.size();
      noteVariant(trees.getFirst(), run.layers().subList(0, lowest + 1));
    }
    return new MergeInput(top.whole() ? List.of() : below(run.below()), trees);
  }

  /** A variant may lie below another image's layers, and its own image may never be mounted. */
  private void noteVariant(KeptLayer tree, List<LazyLayer> chain) {
    if (LayerKey.ofImageTree(chain.getLast()).filter(tree.key()::equals).isPresent()) {
      layers.claims().shown(tree, chain);
    }
  }

  /** What is known against an index by which the run is shown; empty if nothing is. */
  Optional<String> lie(LazyRun run) {
    return run.layers().stream()
        .flatMap(layer -> LayerKey.ofShown(layer).stream())
        .flatMap(key -> layers.claims().lie(key).stream())
        .findFirst();
  }

  /**
   * Begins to make what the run lacks, and does not wait for it.
   *
   * @param also repositories that may hold its layers as well
   */
  void beginMissing(List<LazyLayer> run, Set<Repository> also)
      throws IOException, InterruptedException {
    begin(run, also);
  }

  private Trees begin(List<LazyLayer> run, Set<Repository> also)
      throws IOException, InterruptedException {
    Trees trees = new Trees(layers);
    Set<Repository> holders = new HashSet<>(also);
    run.forEach(layer -> holders.addAll(layer.holders()));
    for (LazyLayer layer : run.reversed()) {
      for (LayerKey key : LayerKey.ofShown(layer)) {
        layers.claims().requireHonest(key);
      }
      Optional<KeptLayer> kept = kept(layer);
      if (kept.isPresent()) {
        trees.add(kept.get());
      } else {
        addMissing(layer, holders, trees);
      }
      if (trees.whole()) {
        break;
      }
    }
    return trees;
  }

  /** The tree that shows the chain up to {@code layer}, or the layer's own. */
  Optional<KeptLayer> kept(LazyLayer layer) {
    return LayerKey.ofImageTree(layer).flatMap(layers::find).or(() -> own(layer));
  }

  private Optional<KeptLayer> own(LazyLayer layer) {
    return layers
        .find(LayerKey.ofOwn(layer))
        .or(() -> chosen(layer))
        .or(() -> proven(layer))
        .filter(kept -> kept.diffId().equals(layer.diffId()));
  }

  private Optional<KeptLayer> proven(LazyLayer layer) {
    if (holdsTree(layer)) {
      return Optional.empty();
    }
    Digest digest = layer.layer().digest();
    return is(ImagePart.DATA, layer)
        ? layers.claims().findStreamed(digest)
        : layers.claims().findProven(digest);
  }

  private Optional<KeptLayer> chosen(LazyLayer layer) {
    return Optional.ofNullable(chosen.get(layer))
        .filter(key -> layers.claims().lie(key).isEmpty())
        .flatMap(layers::find);
  }

  /** Forgets what was found out of layers that no snapshot needs any more. */
  void forgetBut(Set<LazyLayer> needed) {
    chosen.keySet().retainAll(needed);
  }

  /**
   * Whether the layer holds the tree of a whole image, so that no other tree of the same layer may
   * stand in for it: what it would stream to is none of the image's files.
   */
  private boolean holdsTree(LazyLayer layer) {
    return is(ImagePart.TREE, layer);
  }

  private boolean is(ImagePart part, LazyLayer layer) {
    return layers
        .choice()
        .imagePart(layer.format(), layer.layer())
        .filter(part::equals)
        .isPresent();
  }

  /**
   * Adds a layer that has no tree. Its image may be gone from the registry, while another one that
   * stands on the layer is not: then the layer is streamed, for which the store knows enough.
   *
   * @param holders of all layers of the run: images on a layer hold it, too
   */
  private void addMissing(LazyLayer layer, Set<Repository> holders, Trees trees)
      throws IOException, InterruptedException {
    if (is(ImagePart.DATA, layer)) {
      trees.add(LoneLayer.of(layer, holders), new LayerPlan.DataOnly(layer.format()));
      return;
    }
    LayerFormat.Layer source;
    try {
      source = source(layer, holders);
    } catch (IOException e) {
      if (holdsTree(layer) || (e instanceof FetchException fetch && fetch.temporary())) {
        throw e;
      }
      LOG.info(
          "layer {} of {} is streamed, because its image is not to be had: {}",
          layer.layer().digest(),
          layer.image(),
          e.getMessage());
      LayerFormat.Layer alone = LoneLayer.of(layer, holders);
      trees.add(alone, layers.planner().planStreamed(alone));
      return;
    }
    LayerPlan plan = layers.planner().plan(source);
    key(plan).ifPresent(key -> chosen.put(layer, key));
    trees.add(source, plan);
  }

  private static Optional<LayerKey> key(LayerPlan plan) {
    return switch (plan) {
      case LayerPlan.Kept(KeptLayer kept) -> Optional.of(kept.key());
      case LayerPlan.Indexable indexable -> Optional.of(indexable.key());
      case LayerPlan.DataOnly _, LayerPlan.Ordinary _ -> Optional.empty();
    };
  }

  /** The layer as a part of its manifest, which formats go by. */
  private LayerFormat.Layer source(LazyLayer layer, Set<Repository> holders)
      throws IOException, InterruptedException {
    IOException failure =
        new FetchException(
            "layer %s of %s: no repository is known"
                .formatted(layer.layer().digest(), layer.image()),
            FetchException.Reason.NOT_FOUND,
            0,
            null);
    for (Repository holder : layer.holders()) {
      try {
        ImageManifest manifest = resolver.manifest(holder, layer.manifest());
        int position = manifest.chainIds().indexOf(layer.chainId());
        if (position >= 0) {
          return manifest.layer(position, reference(layer, holder), holders);
        }
      } catch (IOException e) {
        e.addSuppressed(failure);
        failure = e;
      }
    }
    throw failure;
  }

  /** By what name the image was asked for; formats that go by it look only beside the layer. */
  private static ImageReference reference(LazyLayer layer, Repository holder) {
    ImageReference asked = ImageReference.parse(layer.image());
    return asked.repository().equals(holder)
        ? asked
        : new ImageReference(holder, null, layer.manifest());
  }

  private List<MergeInput.Below> below(List<CommittedLayer> chain)
      throws IOException, InterruptedException {
    List<MergeInput.Below> below = new ArrayList<>();
    List<LazyLayer> lazy = new ArrayList<>();
    for (CommittedLayer layer : chain) {
      switch (layer) {
        case CommittedLayer.Lazy(LazyLayer one) -> lazy.add(one);
        case CommittedLayer.Local local -> {
          addLazy(lazy, below);
          below.add(new MergeInput.Below.Local(local.id(), local.directory()));
        }
      }
    }
    addLazy(lazy, below);
    return below;
  }

  private void addLazy(List<LazyLayer> lazy, List<MergeInput.Below> below)
      throws IOException, InterruptedException {
    if (lazy.isEmpty()) {
      return;
    }
    for (KeptLayer tree : begin(lazy, Set.of()).await()) {
      below.add(new MergeInput.Below.Lazy(tree));
    }
    lazy.clear();
  }
}

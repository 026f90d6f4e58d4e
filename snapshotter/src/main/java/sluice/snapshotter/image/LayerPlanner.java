package sluice.snapshotter.image;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.core.CorruptException;
import sluice.core.Digest;
import sluice.core.FetchException;
import sluice.core.ImageReference;
import sluice.core.IndexOrigin;
import sluice.core.LayerFormat;
import sluice.core.LayerFormat.Recognition;

/**
 * Says what becomes of layers: which format serves each, and whether it is in the library already.
 * Safe for use by many threads.
 */
final class LayerPlanner {

  private static final Logger LOG = LoggerFactory.getLogger(LayerPlanner.class);

  private final LayerLibrary layers;
  private final LayerChoice choice;
  private final Set<Digest> refused;
  private final SingleFlight<Planned, LayerPlan> planning;
  private final SingleFlight<Planned, Optional<String>> refusing;
  private final SingleFlight<Failed, LayerPlan> replanning;
  private final StreamReasons streaming = new StreamReasons();

  /**
   * @param refused layers that are treated as if no format served them
   */
  LayerPlanner(
      LayerLibrary layers, LayerChoice choice, Set<Digest> refused, ExecutorService workers) {
    this.layers = layers;
    this.choice = choice;
    this.refused = Set.copyOf(refused);
    this.planning = new SingleFlight<>(workers);
    this.refusing = new SingleFlight<>(workers);
    this.replanning = new SingleFlight<>(workers);
  }

  /** A layer of which somebody finds out what becomes of it. */
  private record Planned(ImageReference image, Digest manifest, int position) {}

  /** A layer of which somebody finds out what becomes of it after a failure. */
  private record Failed(Digest manifest, int position, IOException failure) {}

  /**
   * Says what becomes of a layer. Reads no more of its blob than the formats need to recognise it.
   *
   * @throws CorruptException if the library knows the layer by another diff ID
   */
  LayerPlan plan(LayerFormat.Layer layer) throws IOException, InterruptedException {
    if (refused.contains(layer.descriptor().digest())) {
      return new LayerPlan.Ordinary(List.of("refused by the test switch"));
    }
    for (LayerFormat format : choice.formats()) {
      if (layers.isMaking(LayerKey.verified(format.name(), layer.descriptor().digest()))) {
        return join(format, layer);
      }
    }
    return plan(layer, choice.untilUsable(layer, choice.formats()), List.of());
  }

  /**
   * Why a layer was streamed the last time, in a line for people; empty if it never was, or if that
   * was decided before this process began, or too long ago.
   *
   * @param manifest digest of its image's manifest
   */
  Optional<String> whyStreamed(Digest manifest, Digest layer) {
    return streaming.of(manifest, layer);
  }

  /** What becomes of a layer by its own bytes alone, whatever indexes it has. */
  LayerPlan planStreamed(LayerFormat.Layer layer) throws IOException, InterruptedException {
    return plan(
        layer,
        List.of(choice.ask(choice.formats().getLast(), layer)),
        List.of("it is taken by its own bytes alone"));
  }

  /** Begins to say what becomes of a layer. */
  Future<LayerPlan> planning(LayerFormat.Layer layer) {
    return planning.join(
        new Planned(layer.image().reference(), layer.image().digest(), layer.position()),
        () -> plan(layer));
  }

  /** Begins to find out why an image is not shown by its variant; empty if it is. */
  Future<Optional<String>> refusing(ResolvedImage image, ImageManifest variant) {
    return refusing.join(
        new Planned(image.reference(), variant.digest(), variant.layerCount()),
        () -> {
          Optional<String> refusal = choice.refusalOfVariant(image, variant);
          refusal.ifPresent(why -> streaming.variantRefused(image.image().digest(), why));
          return refusal;
        });
  }

  /**
   * What becomes of a layer whose index could not be made a tree of: the turn of the formats after
   * that one. What may be had a moment later is waited for instead, as it would not be streamed
   * either. A layer that holds the tree of a whole image has no other turn: what it unpacks to is
   * none of the image's files.
   *
   * @throws IOException {@code failure}, if the layer has to wait, or no other format serves it
   */
  LayerPlan planAfter(IOException failure, LayerFormat.Layer layer, LayerPlan plan)
      throws IOException, InterruptedException {
    if (!(plan instanceof LayerPlan.Indexable failed)
        || failed.indexer().streams()
        || failed.wholeImage()) {
      throw failure;
    }
    switch (failure) {
      case CorruptException _ ->
          choice
              .rejected()
              .broken(failed.key(), layer.image(), String.valueOf(failure.getMessage()));
      case FetchException fetch when !fetch.temporary() -> {}
      default -> throw failure;
    }
    String format = failed.key().format();
    List<String> refusals = new ArrayList<>(failed.refusals());
    refusals.add(format + ": " + failure.getMessage());
    LayerPlan next = plan(layer, choice.untilUsable(layer, choice.after(format)), refusals);
    return switch (next) {
      case LayerPlan.Kept _, LayerPlan.Indexable _ -> {
        LOG.warn(
            "layer {} is not served from its {} index: {}",
            layer.descriptor().digest(),
            format,
            failure.getMessage());
        yield next;
      }
      case LayerPlan.DataOnly _, LayerPlan.Ordinary _ -> throw failure;
    };
  }

  /** Begins to say what {@link #planAfter} says. */
  Future<LayerPlan> planningAfter(IOException failure, LayerFormat.Layer layer, LayerPlan plan) {
    return replanning.join(
        new Failed(layer.image().digest(), layer.position(), failure),
        () -> planAfter(failure, layer, plan));
  }

  /** A layer that streams now is joined, even if the index that is made of it is there already. */
  private LayerPlan join(LayerFormat format, LayerFormat.Layer layer)
      throws IOException, InterruptedException {
    List<String> refusals =
        format.name().equals(choice.streaming())
            ? List.of(streaming.known(layer).orElse("it streams already, for another image"))
            : List.of();
    return plan(layer, List.of(choice.ask(format, layer)), refusals);
  }

  /**
   * What becomes of a layer by the last of these answers.
   *
   * @param before what other formats said, which are not asked again
   */
  private LayerPlan plan(
      LayerFormat.Layer layer, List<LayerChoice.Answer> answers, List<String> before)
      throws IOException {
    List<String> refusals = new ArrayList<>(before);
    for (LayerChoice.Answer answer : answers) {
      switch (answer.recognition()) {
        case Recognition.Foreign() -> {}
        case Recognition.Refused(String reason) -> refusals.add(answer.format() + ": " + reason);
        case Recognition.Tree(LayerFormat.Indexer indexer, IndexOrigin origin) -> {
          return ofTree(layer, answer.format(), origin, indexer, refusals);
        }
        case Recognition.ImageTree(LayerFormat.Indexer indexer, IndexOrigin origin) -> {
          return plan(layer, answer.format(), origin, indexer, true, refusals);
        }
        case Recognition.DataOnly() -> {
          return new LayerPlan.DataOnly(answer.format());
        }
      }
    }
    if (refusals.isEmpty()) {
      refusals.add("no format serves media type " + layer.descriptor().mediaType());
    }
    return new LayerPlan.Ordinary(refusals);
  }

  /** What was streamed once is shown as long as it is kept, as all of its data is there. */
  private LayerPlan ofTree(
      LayerFormat.Layer layer,
      String format,
      IndexOrigin origin,
      LayerFormat.Indexer indexer,
      List<String> refusals)
      throws IOException {
    Digest digest = layer.descriptor().digest();
    Optional<KeptLayer> streamed = layers.find(LayerKey.verified(choice.streaming(), digest));
    if (indexer.streams()) {
      streaming.streamed(layer, refusals);
    } else if (streamed.isPresent()) {
      refusals.add(format + ": what was streamed before is kept");
      streaming.kept(layer, refusals);
    }
    return streamed.isPresent()
        ? kept(streamed.get(), layer)
        : plan(layer, format, origin, indexer, false, refusals);
  }

  private LayerPlan plan(
      LayerFormat.Layer layer,
      String format,
      IndexOrigin origin,
      LayerFormat.Indexer indexer,
      boolean wholeImage,
      List<String> refusals)
      throws IOException {
    LayerKey key = LayerKey.of(format, layer, origin);
    Optional<KeptLayer> there = layers.find(key);
    return there.isPresent()
        ? kept(there.get(), layer)
        : new LayerPlan.Indexable(key, origin, wholeImage, indexer, refusals);
  }

  private LayerPlan kept(KeptLayer there, LayerFormat.Layer layer) throws IOException {
    return new LayerPlan.Kept(layers.shared(there, layer));
  }
}

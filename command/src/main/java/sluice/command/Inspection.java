package sluice.command;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.IndexOrigin;
import sluice.core.IndexOrigin.Binding;
import sluice.core.LayerFormat;
import sluice.core.LayerFormat.Recognition;
import sluice.snapshotter.image.ImageManifest;
import sluice.snapshotter.image.LayerChoice;
import sluice.snapshotter.image.ResolvedImage;
import sluice.snapshotter.image.StreamedLayers;

/**
 * What an image is made of, and what serves it.
 *
 * @param variantProblem why the image's variant is not used; empty if it is, or if there is none
 * @param layers those of the manifest that containerd uses, lowest first
 */
record Inspection(ResolvedImage image, String variantProblem, List<Layer> layers) {

  private static final String LAZY = "lazy";
  private static final String STREAMED = "streamed";

  Inspection {
    layers = List.copyOf(layers);
  }

  /**
   * One layer.
   *
   * @param offers what the formats that know it make of it, the preferred one first
   */
  record Layer(Descriptor descriptor, Digest chainId, List<Offer> offers) {
    Layer {
      offers = List.copyOf(offers);
    }

    /** What serves the layer; empty if nothing does. */
    Optional<Offer> chosen() {
      return offers.stream().filter(Offer::chosen).findFirst();
    }
  }

  /**
   * What one format makes of a layer.
   *
   * @param served how the layer is served by it: {@code lazy}, {@code streamed}, {@code variant},
   *     {@code image} for the layer that holds the tree of all, {@code data-only} for those below;
   *     {@code refused} if it is not
   * @param origin where its index comes from; null where it has none of its own
   * @param reason why it is chosen, or why not
   */
  record Offer(
      String format, String served, @Nullable IndexOrigin origin, boolean chosen, String reason) {

    Offer with(boolean isChosen, String why) {
      return new Offer(format, served, origin, isChosen, why);
    }
  }

  /**
   * Asks the formats.
   *
   * @param streamed what this node keeps of layers that it streamed before
   */
  static Inspection of(ResolvedImage image, LayerChoice choice, StreamedLayers streamed)
      throws InterruptedException {
    ImageManifest variant = image.variant();
    String problem = variant == null ? "" : choice.refusalOfVariant(image, variant).orElse("");
    List<Layer> layers = new ArrayList<>();
    ImageManifest own = image.image();
    for (int at = 0; at < own.layerCount(); at++) {
      LayerFormat.Layer layer = own.layer(at, image.reference(), image.holders());
      List<Offer> offers = new ArrayList<>();
      if (variant != null && problem.isEmpty()) {
        offers.add(variantOffer(image, variant, choice));
      }
      for (LayerChoice.Answer answer : choice.all(layer)) {
        offer(answer, offers).ifPresent(offers::add);
      }
      if (streamed.has(layer.descriptor().digest())) {
        offers = preferringStreamed(offers, choice.streaming());
      }
      layers.add(new Layer(layer.descriptor(), own.chainIds().get(at), offers));
    }
    return new Inspection(image, problem, layers);
  }

  /** A tree that was streamed and is kept comes before other trees of the same layer alone. */
  private static List<Offer> preferringStreamed(List<Offer> offers, String streaming) {
    boolean ownTree =
        offers.stream().anyMatch(offer -> offer.chosen() && isTreeOf(offer))
            && offers.stream().anyMatch(offer -> offer.format().equals(streaming));
    return ownTree
        ? offers.stream().map(offer -> preferringStreamed(offer, streaming)).toList()
        : offers;
  }

  private static Offer preferringStreamed(Offer offer, String streaming) {
    if (offer.format().equals(streaming)) {
      return offer.with(true, "kept on this node: streamed before");
    }
    return offer.chosen() ? offer.with(false, "what was streamed before is kept") : offer;
  }

  /** Whether the layer alone would be shown by it, not the image. */
  private static boolean isTreeOf(Offer offer) {
    return offer.served().equals(LAZY) || offer.served().equals(STREAMED);
  }

  private static Offer variantOffer(ResolvedImage image, ImageManifest variant, LayerChoice choice)
      throws InterruptedException {
    LayerFormat.Layer top =
        variant.layer(variant.layerCount() - 1, image.reference(), image.holders());
    for (LayerChoice.Answer answer : choice.all(top)) {
      if (answer.recognition() instanceof Recognition.ImageTree(var _, IndexOrigin origin)) {
        return new Offer(
            answer.format(),
            "variant",
            // That the bootstrap shows what the ordinary layers hold is only the index's word.
            new IndexOrigin(Binding.IMAGE, origin.place(), origin.sizeBytes(), origin.index()),
            true,
            "the image's index lists " + variant.digest());
      }
    }
    throw new IllegalStateException("a variant that is used has the tree of an image");
  }

  /** What is said of a layer that the format knows; empty if it is not one of its own. */
  private static Optional<Offer> offer(LayerChoice.Answer answer, List<Offer> before) {
    String format = answer.format();
    return switch (answer.recognition()) {
      case Recognition.Foreign() -> Optional.empty();
      case Recognition.Refused(String reason) ->
          Optional.of(new Offer(format, "refused", null, false, reason));
      case Recognition.Tree(LayerFormat.Indexer indexer, IndexOrigin origin) ->
          Optional.of(usable(format, indexer.streams() ? STREAMED : LAZY, origin, before));
      case Recognition.ImageTree(LayerFormat.Indexer _, IndexOrigin origin) ->
          Optional.of(usable(format, "image", origin, before));
      case Recognition.DataOnly() -> Optional.of(usable(format, "data-only", null, before));
    };
  }

  private static Offer usable(
      String format, String served, @Nullable IndexOrigin origin, List<Offer> before) {
    Optional<Offer> chosen = before.stream().filter(Offer::chosen).findFirst();
    if (chosen.isPresent()) {
      return new Offer(
          format, served, origin, false, chosen.get().format() + " is preferred to it");
    }
    return new Offer(
        format,
        served,
        origin,
        true,
        before.isEmpty() ? "the first that knows the layer" : "the first that can be used");
  }
}

package sluice.snapshotter.image;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Future;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.core.Digest;
import sluice.core.LayerFormat;
import sluice.core.UnservedException;
import sluice.snapshotter.state.CommittedLayer;
import sluice.snapshotter.state.LayerRequest;
import sluice.snapshotter.state.LazyLayer;
import sluice.snapshotter.state.LazyLayers.Pin;

/**
 * How one layer becomes lazy: what {@code Prepare} waits for.
 *
 * <p>Manifest and index have a deadline together. The first layer that must be made begins all
 * layers above it as well, so that they come side by side; only a layer that must be streamed is
 * waited for without limit, because the ordinary way would take as long. Nothing that was begun
 * ends with a caller that gives up.
 */
final class LayerPreparation {

  private static final Logger LOG = LoggerFactory.getLogger(LayerPreparation.class);

  private final ResolvedImages images;
  private final LayerLibrary layers;
  private final Duration limit;
  private final Pins pins;

  LayerPreparation(ResolvedImages images, LayerLibrary layers, Duration limit, Pins pins) {
    this.images = images;
    this.layers = layers;
    this.limit = limit;
    this.pins = pins;
  }

  /**
   * A layer that is ready.
   *
   * @param last whether it is the topmost of its image
   * @param pin protects what shows it; the receiver closes it when the layer is in the store
   */
  record Ready(LazyLayer layer, boolean last, Pin pin) {}

  /** The image that a request names, and where in it its layer is. */
  private record Place(ResolvedImage image, int position) {
    ImageManifest manifest() {
      return image.image();
    }

    LayerFormat.Layer layer(int at) {
      return manifest().layer(at, image.reference(), image.holders());
    }

    boolean last() {
      return position == manifest().layerCount() - 1;
    }

    /** The blobs that the layer's tree may be made of. */
    List<Digest> blobs() {
      List<Digest> blobs = new ArrayList<>();
      blobs.add(layer(position).descriptor().digest());
      ImageManifest variant = image.variant();
      if (last() && variant != null && variant.layerCount() > 0) {
        blobs.add(variant.manifest().layers().getLast().digest());
      }
      return blobs;
    }
  }

  /**
   * Makes the layer ready.
   *
   * @throws UnservedException if it cannot be lazy
   * @throws TimeoutException if manifest and index were not there in time
   */
  Ready prepare(LayerRequest request, ResolvedImages.Asked asked)
      throws IOException, InterruptedException, TimeoutException {
    Deadline deadline = Deadline.in(limit);
    ResolvedImage image = images.resolve(asked, request.namespace(), deadline.left());
    int position = image.image().chainIds().indexOf(request.chainId());
    if (position < 0) {
      throw new UnservedException(
          "%s: no layer of manifest %s has the chain ID %s"
              .formatted(asked.reference(), image.image().digest(), request.chainId()));
    }
    Place place = new Place(image, position);
    // Before the library is asked: what it has must not be swept before the store needs it.
    Pins.Held pin = pins.pin(place.blobs());
    try {
      return new Ready(prepare(request, place, deadline), place.last(), pin);
    } catch (InterruptedException | TimeoutException e) {
      pin.leaveAhead();
      throw e;
    } catch (IOException | RuntimeException e) {
      pin.close();
      throw e;
    }
  }

  private LazyLayer prepare(LayerRequest request, Place place, Deadline deadline)
      throws IOException, InterruptedException, TimeoutException {
    Optional<LayerKey> variant =
        standsOnItsOwn(request) ? prepareVariant(place, deadline) : Optional.empty();
    LayerKey key = variant.isPresent() ? variant.get() : prepareOwn(place, deadline);
    Digest imageTree = place.last() ? variant.map(LayerKey::layer).orElse(null) : null;
    return lazyLayer(place, request, key, imageTree);
  }

  /**
   * Whether all layers below are lazy, too. What containerd unpacked is shown as it is: nobody
   * could compare a tree of the whole image with it.
   */
  private static boolean standsOnItsOwn(LayerRequest request) {
    return request.below().stream().allMatch(CommittedLayer.Lazy.class::isInstance);
  }

  /** The tree of the image's variant; empty if there is none that may be used. */
  private Optional<LayerKey> prepareVariant(Place place, Deadline deadline)
      throws IOException, InterruptedException, TimeoutException {
    ImageManifest variant = place.image.variant();
    if (variant == null) {
      return Optional.empty();
    }
    Optional<String> refusal =
        SingleFlight.await(layers.planner().refusing(place.image, variant), deadline.left());
    if (refusal.isPresent()) {
      LOG.info("{}: its variant is not used: {}", place.image.reference(), refusal.get());
      return Optional.empty();
    }
    LayerFormat.Layer top =
        variant.layer(variant.layerCount() - 1, place.image.reference(), place.image.holders());
    pins.holdAhead(top.descriptor().digest());
    try {
      KeptLayer tree = layer(top, plan(top, deadline), deadline);
      return tree.wholeImage() ? Optional.of(tree.key()) : Optional.empty();
    } catch (IOException e) {
      LOG.warn("{}: its variant is not used: {}", place.image.reference(), e.getMessage());
      return Optional.empty();
    }
  }

  /** Takes the layer as it is; returns what its tree is kept under. */
  private LayerKey prepareOwn(Place place, Deadline deadline)
      throws IOException, InterruptedException, TimeoutException {
    LayerFormat.Layer own = place.layer(place.position);
    LayerPlan plan = plan(own, deadline);
    return switch (plan) {
      case LayerPlan.Kept(KeptLayer kept) -> kept.key();
      case LayerPlan.Indexable indexable -> {
        if (!layers.isMaking(indexable.key())) {
          beginAll(place);
        }
        yield layer(own, plan, deadline).key();
      }
      case LayerPlan.DataOnly(String format) -> {
        requireTreeAbove(place, format, deadline);
        yield LayerKey.verified(format, own.descriptor().digest());
      }
      case LayerPlan.Ordinary(List<String> reasons) ->
          throw new UnservedException(String.join("; ", reasons));
    };
  }

  /** Begins all layers above this one that are not there yet. */
  private void beginAll(Place place) {
    for (int at = place.position + 1; at < place.manifest().layerCount(); at++) {
      LayerFormat.Layer layer = place.layer(at);
      layers.beginAhead(layer, () -> pins.holdAhead(layer.descriptor().digest()));
    }
  }

  /** Data alone is of no use: the tree above it must be there before containerd relies on it. */
  private void requireTreeAbove(Place place, String format, Deadline deadline)
      throws IOException, InterruptedException, TimeoutException {
    List<String> reasons = new ArrayList<>();
    for (int at = place.position + 1; at < place.manifest().layerCount(); at++) {
      LayerFormat.Layer above = place.layer(at);
      pins.holdAhead(above.descriptor().digest());
      LayerPlan plan = plan(above, deadline);
      if (plan instanceof LayerPlan.Ordinary(List<String> refusals)) {
        reasons.addAll(refusals);
      } else if (isWholeImage(plan)) {
        layer(above, plan, deadline);
        return;
      }
    }
    throw new UnservedException(
        "holds only data for a %s tree, and no layer above it holds a tree that can be read %s"
            .formatted(format, reasons));
  }

  private static boolean isWholeImage(LayerPlan plan) {
    return switch (plan) {
      case LayerPlan.Kept(KeptLayer kept) -> kept.wholeImage();
      case LayerPlan.Indexable indexable -> indexable.wholeImage();
      case LayerPlan.DataOnly data -> false;
      case LayerPlan.Ordinary ordinary -> false;
    };
  }

  /** Recognising a layer may ask a registry, so it has a deadline, too. */
  private LayerPlan plan(LayerFormat.Layer layer, Deadline deadline)
      throws IOException, InterruptedException, TimeoutException {
    return SingleFlight.await(layers.planner().planning(layer), deadline.left());
  }

  private KeptLayer layer(LayerFormat.Layer layer, LayerPlan first, Deadline deadline)
      throws IOException, InterruptedException, TimeoutException {
    LayerPlan plan = first;
    while (true) {
      try {
        return made(layer, plan, deadline);
      } catch (IOException e) {
        plan = SingleFlight.await(layers.planner().planningAfter(e, layer, plan), deadline.left());
      }
    }
  }

  private KeptLayer made(LayerFormat.Layer layer, LayerPlan plan, Deadline deadline)
      throws IOException, InterruptedException, TimeoutException {
    return switch (plan) {
      case LayerPlan.Kept(KeptLayer kept) -> kept;
      case LayerPlan.Indexable indexable -> {
        Future<KeptLayer> made = layers.make(layer, indexable);
        if (!indexable.indexer().streams()) {
          SingleFlight.await(made, deadline.left());
        }
        yield layers.await(made, layer);
      }
      case LayerPlan.DataOnly(String format) ->
          throw new UnservedException("holds only data for a " + format + " tree");
      case LayerPlan.Ordinary(List<String> reasons) ->
          throw new UnservedException(String.join("; ", reasons));
    };
  }

  private static LazyLayer lazyLayer(
      Place place, LayerRequest request, LayerKey key, @Nullable Digest imageTree) {
    LayerFormat.Layer own = place.layer(place.position);
    return new LazyLayer(
        request.chainId(),
        own.diffId(),
        own.descriptor(),
        own.holders(),
        place.manifest().digest(),
        key.format(),
        imageTree == null ? key.index() : null,
        imageTree,
        place.image.reference().toString());
  }
}

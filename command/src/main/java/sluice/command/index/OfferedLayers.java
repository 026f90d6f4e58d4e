package sluice.command.index;

import java.io.IOException;
import java.util.function.Consumer;
import sluice.core.ImageReference;
import sluice.core.Repository;
import sluice.snapshotter.state.LayerRequest;
import sluice.snapshotter.state.LazyLayer;
import sluice.snapshotter.state.LazyLayers;
import sluice.snapshotter.state.LazyRun;
import sluice.snapshotter.state.Usage;

/** Tells an {@link IndexPublisher} of each image whose layers become ready. */
public final class OfferedLayers implements LazyLayers {

  private final LazyLayers layers;
  private final IndexPublisher publisher;

  public OfferedLayers(LazyLayers layers, IndexPublisher publisher) {
    this.layers = layers;
    this.publisher = publisher;
  }

  @Override
  public Outcome prepare(LayerRequest request) throws InterruptedException {
    Outcome outcome = layers.prepare(request);
    if (outcome instanceof Outcome.Lazy(LazyLayer layer, Pin _)) {
      offer(layer, repository -> publisher.offer(repository, layer.manifest()));
    }
    return outcome;
  }

  private static void offer(LazyLayer layer, Consumer<Repository> to) {
    try {
      to.accept(ImageReference.parse(layer.image()).repository());
    } catch (IllegalArgumentException _) {
      // The name that somebody gave the image leads to no repository.
    }
  }

  @Override
  public void named(LazyLayer layer, LayerRequest request) {
    layers.named(layer, request);
  }

  @Override
  public Rootfs mount(LazyRun run) throws IOException, InterruptedException {
    return layers.mount(run);
  }

  @Override
  public Usage usage(LazyLayer layer) throws IOException {
    return layers.usage(layer);
  }

  @Override
  public void retain(NeededQuery needed) throws IOException {
    layers.retain(needed);
  }

  @Override
  public void restore(Needed needed) {
    layers.restore(needed);
    // What an earlier daemon could not push.
    for (LazyLayer layer : needed.committed()) {
      offer(
          layer,
          repository -> publisher.offer(repository, layer.manifest(), layer.layer().digest()));
    }
  }
}

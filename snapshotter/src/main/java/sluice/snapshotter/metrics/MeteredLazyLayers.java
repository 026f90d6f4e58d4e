package sluice.snapshotter.metrics;

import java.io.IOException;
import java.time.Duration;
import sluice.snapshotter.state.LayerRequest;
import sluice.snapshotter.state.LazyLayer;
import sluice.snapshotter.state.LazyLayers;
import sluice.snapshotter.state.LazyRun;
import sluice.snapshotter.state.Usage;

/**
 * Lazy layers, with what serves them, how long containerd waits for them, and why some are none.
 */
public final class MeteredLazyLayers implements LazyLayers {

  private final LazyLayers layers;
  private final Meters meters;
  private final String streaming;

  /**
   * @param streaming name of the format that streams layers
   */
  public MeteredLazyLayers(LazyLayers layers, Meters meters, String streaming) {
    this.layers = layers;
    this.meters = meters;
    this.streaming = streaming;
  }

  @Override
  public Outcome prepare(LayerRequest request) throws InterruptedException {
    long begun = System.nanoTime();
    Meters.PrepareOutcome end = Meters.PrepareOutcome.INTERRUPTED;
    try {
      Outcome outcome = layers.prepare(request);
      end =
          switch (outcome) {
            case Outcome.Lazy lazy -> ready(lazy.layer().format());
            case Outcome.Fallback fallback -> {
              meters.fellBack(fallback.kind());
              yield Meters.PrepareOutcome.FALLBACK;
            }
          };
      return outcome;
    } finally {
      meters.prepared(end, Duration.ofNanos(System.nanoTime() - begun));
    }
  }

  private Meters.PrepareOutcome ready(String format) {
    meters.ready(format);
    return format.equals(streaming) ? Meters.PrepareOutcome.STREAMED : Meters.PrepareOutcome.LAZY;
  }

  @Override
  public void named(LazyLayer layer, LayerRequest request) {
    layers.named(layer, request);
  }

  @Override
  public Rootfs mount(LazyRun run) throws IOException, InterruptedException {
    try {
      return layers.mount(run);
    } catch (IOException e) {
      meters.failed(Meters.Failure.MOUNT);
      throw e;
    }
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
  }
}

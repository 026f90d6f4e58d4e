package sluice.snapshotter.state;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Knows no layer; counts how often it was asked what to retain. */
final class RetainedLayers implements LazyLayers {

  int retained;
  @Nullable IOException failure;

  @Override
  public Outcome prepare(LayerRequest request) {
    return new Outcome.Fallback(FallbackKind.UNSUPPORTED, "there are no layers");
  }

  @Override
  public void named(LazyLayer layer, LayerRequest request) {}

  @Override
  public Rootfs mount(LazyRun run) throws IOException {
    throw new IOException("there are no layers");
  }

  @Override
  public Usage usage(LazyLayer layer) {
    return Usage.NONE;
  }

  @Override
  public void retain(NeededQuery needed) throws IOException {
    retained++;
    if (failure != null) {
      throw failure;
    }
  }

  @Override
  public void restore(Needed needed) {}
}

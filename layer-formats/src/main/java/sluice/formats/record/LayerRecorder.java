package sluice.formats.record;

import sluice.core.LayerFormat;

/** Makes indexes of layers that are streamed anyway. Safe for use by many threads. */
@FunctionalInterface
public interface LayerRecorder {

  /** Records nothing. */
  LayerRecorder NONE = layer -> Recording.NONE;

  /** Begins to record a layer that is about to stream; the caller closes what is returned. */
  Recording begin(LayerFormat.Layer layer);
}

package sluice.snapshotter.state;

import java.util.Locale;

/** Why a layer is unpacked the ordinary way, in the words that metrics use. */
public enum FallbackKind {
  /** The request does not name the image or the layer, so there is nothing to go by. */
  NOT_NAMED,
  /** The image, or a layer below, is of a kind that Sluice does not serve. */
  UNSUPPORTED,
  /** The registry did not answer, or refused. */
  REGISTRY,
  /** Manifest and index were not there before the deadline. */
  TIMEOUT,
  /** The index or the layer is not what its digest or its format says. */
  CORRUPT,
  /** The node's disk is full, or failed. */
  DISK,
  /** A fault of Sluice's own. */
  INTERNAL;

  /** The value of the metric's tag. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}

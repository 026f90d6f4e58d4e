package sluice.snapshotter.image;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import sluice.core.Digest;
import sluice.core.LayerFormat;

/**
 * Why layers are streamed, as it was said when that was decided. Only what this process decided is
 * known, and of that only the latest. Safe for use by many threads.
 */
final class StreamReasons {

  /** Enough for every layer of a node; of more, the eldest are forgotten. */
  private static final int MAX_REASONS = 4096;

  /** A line for people; registries and indexes have their say in it. */
  private static final int MAX_CHARACTERS = 600;

  private final Map<Subject, String> reasons =
      new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Subject, String> eldest) {
          return size() > MAX_REASONS;
        }
      };

  /**
   * A layer of an image: what one image says of it, or whose word is taken for it, is not so for
   * another.
   *
   * @param layer null for the image's variant
   */
  private record Subject(Digest manifest, @Nullable Digest layer) {}

  /**
   * The layer is streamed.
   *
   * @param refusals what the formats said that were asked before; empty if none of them knows it
   */
  void streamed(LayerFormat.Layer layer, List<String> refusals) {
    put(subject(layer), text(refusals));
  }

  /**
   * The layer was streamed, and is shown so although a format could serve it now. If it is known
   * why it was streamed, that stays.
   */
  void kept(LayerFormat.Layer layer, List<String> refusals) {
    if (known(layer).isEmpty()) {
      put(subject(layer), text(refusals));
    }
  }

  /** The image is not shown by its variant. */
  void variantRefused(Digest manifest, String reason) {
    put(new Subject(manifest, null), "variant: " + reason);
  }

  /** What was said of the layer itself. */
  synchronized Optional<String> known(LayerFormat.Layer layer) {
    return Optional.ofNullable(reasons.get(subject(layer)));
  }

  /** Why the layer is streamed; empty if that was not decided here. */
  synchronized Optional<String> of(Digest manifest, Digest layer) {
    String reason = reasons.get(new Subject(manifest, layer));
    if (reason == null) {
      return Optional.empty();
    }
    String variant = reasons.get(new Subject(manifest, null));
    return Optional.of(variant == null ? reason : variant + "; " + reason);
  }

  private static Subject subject(LayerFormat.Layer layer) {
    return new Subject(layer.image().digest(), layer.descriptor().digest());
  }

  private static String text(List<String> refusals) {
    return refusals.isEmpty() ? "no other format in use knows it" : String.join("; ", refusals);
  }

  private synchronized void put(Subject subject, String reason) {
    // What is said again is not the eldest any more.
    reasons.remove(subject);
    reasons.put(subject, shortened(reason.strip().replaceAll("\\s+", " ")));
  }

  private static String shortened(String line) {
    return line.length() > MAX_CHARACTERS ? line.substring(0, MAX_CHARACTERS) + "…" : line;
  }
}

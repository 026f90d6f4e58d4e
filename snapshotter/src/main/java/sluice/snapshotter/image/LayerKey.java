package sluice.snapshotter.image;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import sluice.core.Digest;
import sluice.snapshotter.state.LazyLayer;

/**
 * What a layer is kept under: its content, and the format that read it.
 *
 * @param format as {@link sluice.core.LayerFormat#name} says: lower-case letters, digits, {@code -}
 * @param layer digest of the layer's blob
 */
public record LayerKey(String format, Digest layer) {

  private static final Pattern FORMAT = Pattern.compile("[a-z0-9][a-z0-9-]*");
  private static final Pattern TEXT =
      Pattern.compile("([a-z0-9][a-z0-9-]*)_([a-z0-9]+)_([0-9a-f]+)");

  public LayerKey {
    if (!FORMAT.matcher(format).matches()) {
      throw new IllegalArgumentException("layer format: \"" + format + "\"");
    }
  }

  /** The tree that the store names for a layer instead of the layer's own. */
  static Optional<LayerKey> ofImageTree(LazyLayer layer) {
    return Optional.ofNullable(layer.imageTree()).map(tree -> new LayerKey(layer.format(), tree));
  }

  /** Reads what {@link #toString} gives; empty for any other text. */
  static Optional<LayerKey> parse(String text) {
    Matcher matcher = TEXT.matcher(text);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    try {
      Digest layer = Digest.parse(matcher.group(2) + ":" + matcher.group(3));
      return Optional.of(new LayerKey(matcher.group(1), layer));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  /** Fit for a file name. */
  @Override
  public String toString() {
    return format + "_" + layer.algorithm().label() + "_" + layer.hex();
  }
}

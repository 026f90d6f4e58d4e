package sluice.snapshotter.image;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import sluice.core.Digest;
import sluice.core.IndexOrigin;
import sluice.core.IndexOrigin.Binding;
import sluice.core.LayerFormat;
import sluice.snapshotter.state.LazyLayer;

/**
 * What a layer is kept under: its content, the format that read it, and the index by which it was
 * read, since another index may show another tree.
 *
 * @param format as {@link sluice.core.LayerFormat#name} says: lower-case letters, digits, {@code -}
 * @param layer digest of the layer's blob
 * @param index digest of the index, or of what is claimed by it; null where the layer itself
 *     vouches for its tree
 */
public record LayerKey(String format, Digest layer, @Nullable Digest index) {

  private static final Pattern FORMAT = Pattern.compile("[a-z0-9][a-z0-9-]*");
  private static final Pattern TEXT =
      Pattern.compile("([a-z0-9][a-z0-9-]*)_([a-z0-9]+)_([0-9a-f]+)(?:_([a-z0-9]+)_([0-9a-f]+))?");

  public LayerKey {
    if (!FORMAT.matcher(format).matches()) {
      throw new IllegalArgumentException("layer format: \"" + format + "\"");
    }
  }

  /** The key of a tree whose layer vouches for it. */
  static LayerKey verified(String format, Digest layer) {
    return new LayerKey(format, layer, null);
  }

  /**
   * The key of the tree that a format makes of a layer. Where the tree is a claim, so are diff ID
   * and size: what one image says wrongly of a layer must not meet what another says rightly.
   */
  static LayerKey of(String format, LayerFormat.Layer layer, IndexOrigin origin) {
    Digest digest = layer.descriptor().digest();
    if (origin.binding() == Binding.LAYER) {
      return new LayerKey(format, digest, origin.index());
    }
    String claimed =
        "%s %s %d".formatted(origin.index(), layer.diffId(), layer.descriptor().sizeBytes());
    return new LayerKey(format, digest, Digest.sha256(claimed.getBytes(UTF_8)));
  }

  /** The tree that the store names for a layer itself. */
  static LayerKey ofOwn(LazyLayer layer) {
    return new LayerKey(layer.format(), layer.layer().digest(), layer.index());
  }

  /** The tree that the store names for a layer instead of the layer's own. */
  static Optional<LayerKey> ofImageTree(LazyLayer layer) {
    return Optional.ofNullable(layer.imageTree()).map(tree -> verified(layer.format(), tree));
  }

  /**
   * What a tree claims that shows a chain instead of the trees of its layers: that it is what
   * layers of these diff IDs hold.
   */
  static LayerKey ofVariant(String format, Digest tree, Digest chainId) {
    return new LayerKey(format, tree, chainId);
  }

  /** The indexes by which the store has a layer shown. */
  public static List<LayerKey> ofShown(LazyLayer layer) {
    LayerKey own = ofOwn(layer);
    return layer.imageTree() == null
        ? List.of(own)
        : List.of(own, ofVariant(layer.format(), layer.imageTree(), layer.chainId()));
  }

  /** Reads what {@link #toString} gives; empty for any other text. */
  static Optional<LayerKey> parse(String text) {
    Matcher matcher = TEXT.matcher(text);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    try {
      Digest layer = Digest.parse(matcher.group(2) + ":" + matcher.group(3));
      Digest index =
          matcher.group(4) == null ? null : Digest.parse(matcher.group(4) + ":" + matcher.group(5));
      return Optional.of(new LayerKey(matcher.group(1), layer, index));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  /** Fit for a file name. */
  @Override
  public String toString() {
    return format + text(layer) + (index == null ? "" : text(index));
  }

  private static String text(Digest digest) {
    return "_" + digest.algorithm().label() + "_" + digest.hex();
  }
}

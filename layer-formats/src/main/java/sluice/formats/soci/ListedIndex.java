package sluice.formats.soci;

import java.util.List;
import java.util.Optional;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.IndexOrigin.Binding;

/**
 * An index of an image, as somebody who looks after indexes sees it.
 *
 * @param manifest digest of the index
 * @param binding what vouches for it
 * @param version {@code v1} or {@code v2}
 * @param tool what made it; empty if it does not say
 * @param layers those that have a zTOC, in the index's order
 * @param problem why it cannot be used; empty if nothing is wrong with it
 */
public record ListedIndex(
    Digest manifest,
    Binding binding,
    String version,
    String tool,
    List<OfLayer> layers,
    String problem) {

  /**
   * A layer that has a zTOC.
   *
   * @param layer digest of its blob
   */
  public record OfLayer(Digest layer, Descriptor ztoc) {}

  public ListedIndex {
    layers = List.copyOf(layers);
  }

  /** The zTOC of a layer; empty if it has none here. */
  public Optional<Descriptor> ztoc(Digest layer) {
    return layers.stream().filter(of -> of.layer.equals(layer)).map(OfLayer::ztoc).findFirst();
  }

  /** How long all zTOCs are. */
  public long sizeBytes() {
    return layers.stream().mapToLong(of -> of.ztoc.sizeBytes()).sum();
  }
}

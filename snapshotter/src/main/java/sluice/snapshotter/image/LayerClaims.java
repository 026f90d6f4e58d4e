package sluice.snapshotter.image;

import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.core.CorruptException;
import sluice.core.Digest;
import sluice.core.Fidelity;
import sluice.core.LayerFormat;
import sluice.snapshotter.state.LazyLayer;

/**
 * What is known of the kept layers that do not vouch for their trees: which are still to be
 * compared with what they hold, which were, and which lie. Safe for use by many threads.
 */
public final class LayerClaims {

  private static final Logger LOG = LoggerFactory.getLogger(LayerClaims.class);

  private final LayerDirectory kept;
  private final LayerChoice choice;
  private final ComparedVariants compared;

  /** Trees of variants that are shown in other layers' place, by what they claim. */
  private final ConcurrentHashMap<LayerKey, KeptLayer> variants = new ConcurrentHashMap<>();

  LayerClaims(LayerDirectory kept, LayerChoice choice, ComparedVariants compared) {
    this.kept = kept;
    this.choice = choice;
    this.compared = compared;
  }

  /**
   * Layers that are in use and that nobody has compared with what they hold; the tree of a variant
   * has the key of what it claims.
   */
  public List<KeptLayer> open() {
    variants.values().removeIf(variant -> !Files.isRegularFile(variant.metadataImage()));
    return Stream.concat(kept.claimed().stream(), variants.values().stream())
        .filter(layer -> lie(layer.key()).isEmpty())
        .toList();
  }

  /**
   * Notes that a tree is shown instead of the layers of a chain, of which their diff IDs say what
   * they hold.
   *
   * @param layers lowest first
   */
  void shown(KeptLayer tree, List<LazyLayer> layers) {
    LazyLayer top = layers.getLast();
    LayerKey key = LayerKey.ofVariant(tree.key().format(), tree.key().layer(), top.chainId());
    if (!compared.contains(key)) {
      List<KeptLayer.Held> instead =
          layers.stream()
              .map(layer -> new KeptLayer.Held(layer.layer(), layer.diffId(), layer.holders()))
              .toList();
      variants.put(key, tree.as(key, new KeptLayer.Claim(instead)));
    }
  }

  /** What a format's indexes do not say; empty if the format is not in use. */
  public Optional<Fidelity> fidelity(String format) {
    return choice.formats().stream()
        .filter(each -> each.name().equals(format))
        .map(LayerFormat::fidelity)
        .findFirst();
  }

  /** Notes that the layer holds what its tree shows. */
  public void honest(KeptLayer layer) throws IOException {
    if (variants.containsKey(layer.key())) {
      compared.add(layer.key());
      variants.remove(layer.key());
    } else {
      kept.compared(layer);
    }
  }

  /** Notes that the layer does not hold what its tree shows: it is not mounted from now on. */
  public void lying(KeptLayer layer, String how) throws IOException {
    choice.rejected().lying(layer.key(), how);
  }

  /** Writes what {@link #lying} could not write. */
  public void save() throws IOException {
    choice.rejected().save();
  }

  /**
   * Checks that nothing is known against a layer's index.
   *
   * @throws CorruptException if it does not show what the layer holds
   */
  void requireHonest(LayerKey key) throws CorruptException {
    Optional<String> lie = lie(key);
    if (lie.isPresent()) {
      throw new CorruptException(
          lie.get() + "; remove the image and pull it again", "layer " + key.layer(), -1);
    }
  }

  /** What is known against a layer's index; empty if nothing is. */
  Optional<String> lie(LayerKey key) {
    return choice
        .rejected()
        .lie(key)
        .map(how -> "its %s index does not show what it holds: %s".formatted(key.format(), how));
  }

  /**
   * The layer's own tree of which it is known that it shows what the layer holds, whoever asked for
   * it: one that was streamed, one by an index that was made here, or one that was compared.
   */
  Optional<KeptLayer> findProven(Digest layer) {
    return findStreamed(layer).or(() -> findByIndex(layer));
  }

  /** The layer's own tree if it was streamed. */
  Optional<KeptLayer> findStreamed(Digest layer) {
    return kept.find(LayerKey.verified(choice.streaming(), layer));
  }

  private Optional<KeptLayer> findByIndex(Digest layer) {
    Set<LayerKey> keys;
    try {
      keys = kept.keys();
    } catch (IOException e) {
      LOG.warn("layer {}: what is kept of it cannot be listed: {}", layer, e.toString());
      return Optional.empty();
    }
    return keys.stream()
        .filter(key -> key.layer().equals(layer) && key.index() != null)
        .flatMap(key -> kept.find(key).stream())
        .filter(found -> found.claim() == null && !found.wholeImage())
        .filter(found -> lie(found.key()).isEmpty())
        .findFirst();
  }
}

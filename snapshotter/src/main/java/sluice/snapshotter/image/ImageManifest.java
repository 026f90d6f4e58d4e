package sluice.snapshotter.image;

import java.util.List;
import java.util.Set;
import sluice.core.ChainId;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.ImageConfig;
import sluice.core.ImageDocument;
import sluice.core.ImageReference;
import sluice.core.ImageRegistry;
import sluice.core.LayerFormat;
import sluice.core.Repository;

/**
 * A manifest with its configuration.
 *
 * @param content the manifest as it was stored
 * @param manifest the same, read
 * @param configContent the configuration as it was stored
 * @param config the same, read; it has one diff ID for each layer of the manifest
 */
public record ImageManifest(
    ImageRegistry.Content content,
    ImageDocument.Manifest manifest,
    ImageRegistry.Content configContent,
    ImageConfig config) {

  public ImageManifest {
    if (manifest.layers().size() != config.diffIds().size()) {
      throw new IllegalArgumentException(
          "manifest: %d layers, %d diff IDs"
              .formatted(manifest.layers().size(), config.diffIds().size()));
    }
  }

  public Digest digest() {
    return content.descriptor().digest();
  }

  public int layerCount() {
    return manifest.layers().size();
  }

  /** The chain ID of each layer, lowest first. */
  public List<Digest> chainIds() {
    return ChainId.ofAll(config.diffIds());
  }

  /**
   * The layer at {@code position}.
   *
   * @param reference by what name the image was asked for
   * @param holders repositories that hold the layer
   */
  public LayerFormat.Layer layer(int position, ImageReference reference, Set<Repository> holders) {
    return new LayerFormat.Layer(
        new LayerFormat.Image(reference, digest(), manifest),
        position,
        config.diffIds().get(position),
        holders);
  }

  /** The compressed size of all layers. */
  public long sizeBytes() {
    return manifest.layers().stream().mapToLong(Descriptor::sizeBytes).sum();
  }
}

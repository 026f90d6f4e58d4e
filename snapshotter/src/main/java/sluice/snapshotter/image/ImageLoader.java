package sluice.snapshotter.image;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.core.DeviceStore;
import sluice.core.LayerFormat;
import sluice.core.LazyDevice;
import sluice.core.UnservedException;

/**
 * Brings whole images onto the node, without containerd: every layer that must be streamed is
 * streamed, side by side, and of all others only the index is read. Safe for use by many threads.
 */
public final class ImageLoader {

  private static final Logger LOG = LoggerFactory.getLogger(ImageLoader.class);

  private final LayerLibrary layers;
  private final ChainLibrary chains;
  private final DeviceStore devices;

  public ImageLoader(LayerLibrary layers, ChainLibrary chains, DeviceStore devices) {
    this.layers = layers;
    this.chains = chains;
    this.devices = devices;
  }

  /**
   * An image that can be mounted.
   *
   * @param manifest the manifest that it was made of: the image's, or its variant's
   * @param tree the merged metadata image
   * @param devices what it points into, in the order of its device table
   */
  public record Loaded(ImageManifest manifest, Path tree, List<LazyDevice> devices) {
    public Loaded {
      devices = List.copyOf(devices);
    }
  }

  /**
   * Loads an image. Its variant is taken where it has one that can be read; it is not shown under
   * anybody's chain ID here, so its diff IDs need no trust.
   *
   * @throws UnservedException if no format serves one of its layers
   */
  public Loaded load(ResolvedImage image) throws IOException, InterruptedException {
    ImageManifest variant = image.variant();
    if (variant != null) {
      Optional<String> refusal = layers.choice().refusalOfVariant(image, variant);
      if (refusal.isEmpty()) {
        try {
          return load(variant, image);
        } catch (IOException e) {
          refusal = Optional.of(String.valueOf(e.getMessage()));
        }
      }
      LOG.warn("{}: the variant is not used: {}", image.reference(), refusal.get());
    }
    return load(image.image(), image);
  }

  private Loaded load(ImageManifest manifest, ResolvedImage image)
      throws IOException, InterruptedException {
    List<KeptLayer> trees = trees(manifest, image).await();
    MergeInput input = new MergeInput(List.of(), trees);
    Path tree = SingleFlight.await(chains.merge(ChainKey.of(input), input));
    return new Loaded(manifest, tree, RootfsLibrary.devices(tree, devices));
  }

  /** Begins to make the trees of an image. */
  private Trees trees(ImageManifest manifest, ResolvedImage image)
      throws IOException, InterruptedException {
    if (manifest.layerCount() == 0) {
      throw new UnservedException("manifest " + manifest.digest() + " has no layers");
    }
    Trees trees = new Trees(layers);
    for (int at = manifest.layerCount() - 1; at >= 0 && !trees.whole(); at--) {
      LayerFormat.Layer layer = manifest.layer(at, image.reference(), image.holders());
      trees.add(layer, layers.planner().plan(layer));
    }
    return trees;
  }
}

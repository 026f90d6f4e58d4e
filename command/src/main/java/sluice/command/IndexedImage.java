package sluice.command;

import java.io.Closeable;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.ImageReference;
import sluice.core.IndexOrigin;
import sluice.core.LayerFormat;
import sluice.core.Platform;
import sluice.formats.soci.ListedIndex;
import sluice.registry.FetchListener;
import sluice.registry.OciLayout;
import sluice.registry.RegistryClient;
import sluice.registry.RegistryConfig;
import sluice.snapshotter.image.ImageManifest;
import sluice.snapshotter.image.ImageResolver;
import sluice.snapshotter.image.LocalContent;
import sluice.snapshotter.image.ResolvedImage;

/** An image whose indexes somebody deals with, and where it is. */
record IndexedImage(RegistryClient registries, ImagePlaces places, ResolvedImage resolved)
    implements Closeable {

  static IndexedImage open(ImageReference reference, Platform platform, FetchListener listener)
      throws IOException, InterruptedException {
    RegistryClient registries = RegistryClient.open(RegistryConfig.ofProcess(), listener);
    try {
      ImagePlaces places =
          new ImagePlaces(ImagePlaces.Place.of(new OciLayout()), ImagePlaces.Place.of(registries));
      ResolvedImage resolved =
          new ImageResolver(places, LocalContent.NONE, new Formats(places, places)::isVariant)
              .resolve(reference, platform);
      return new IndexedImage(registries, places, resolved);
    } catch (IOException | InterruptedException | RuntimeException e) {
      registries.close();
      throw e;
    }
  }

  ImageManifest manifest() {
    return resolved.image();
  }

  /** The image as formats see it. */
  LayerFormat.Image image() {
    return new LayerFormat.Image(resolved.reference(), manifest().digest(), manifest().manifest());
  }

  /** How many of the image's layers the index has; the same layer twice counts twice. */
  long covered(ListedIndex index) {
    return manifest().manifest().layers().stream()
        .filter(layer -> index.ztoc(layer.digest()).isPresent())
        .count();
  }

  /** The layers of the image that the index has not, each once. */
  List<Digest> without(ListedIndex index) {
    return manifest().manifest().layers().stream()
        .map(Descriptor::digest)
        .distinct()
        .filter(layer -> index.ztoc(layer).isEmpty())
        .toList();
  }

  /** Why this node does not trust the index, or cannot read it; empty if it does. */
  String distrust(ListedIndex index, Trust trust) throws IOException, InterruptedException {
    if (!index.problem().isEmpty()) {
      return index.problem();
    }
    Set<Digest> layers =
        Set.copyOf(index.layers().stream().map(ListedIndex.OfLayer::layer).toList());
    for (int at = 0; at < manifest().layerCount(); at++) {
      LayerFormat.Layer layer = manifest().layer(at, resolved.reference(), resolved.holders());
      if (layers.contains(layer.descriptor().digest())) {
        IndexOrigin origin =
            new IndexOrigin(
                index.binding(), "index", index.sizeBytes(), index.manifest(), index.manifest());
        return trust.asking(places).refusal(layer, origin).orElse("");
      }
    }
    return "it has no layer of the image";
  }

  @Override
  public void close() {
    registries.close();
  }
}

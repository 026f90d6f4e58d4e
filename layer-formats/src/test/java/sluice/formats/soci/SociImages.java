package sluice.formats.soci;

import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.ImageReference;
import sluice.core.IndexOrigin.Binding;
import sluice.core.IndexTrust;
import sluice.core.LayerFormat;
import sluice.core.LayerFormat.Recognition;
import sluice.core.LayerIndex;
import sluice.erofs.MetadataImageMerge;
import sluice.formats.tar.TarFormat;
import sluice.formats.testing.PlainDevices;
import sluice.testing.Fixtures;
import sluice.testing.LayoutRangeSource;

/** A fixture's image, and what {@link SociFormat} makes of its layers. */
final class SociImages {

  /** Trusts everybody. */
  static final IndexTrust ALL = (layer, binding) -> Optional.empty();

  /** Trusts what the image's digest pins. */
  static final IndexTrust PINNED =
      (layer, binding) ->
          binding == Binding.REFERRER
              ? Optional.of("nobody trusts referrers here")
              : Optional.empty();

  private final Path directory;
  private final LayoutRangeSource source = new LayoutRangeSource();
  private final SociRegistry registry;
  private final SociFormat format;
  private final PlainDevices devices;
  private final List<LayerIndex> lazy = new ArrayList<>();

  SociImages(Fixtures fixtures, Path directory) {
    this.directory = directory;
    this.registry = new SociRegistry(fixtures);
    this.format = new SociFormat(source, registry, InstantSource.system());
    this.devices = new PlainDevices(directory, source);
  }

  SociRegistry registry() {
    return registry;
  }

  SociFormat format() {
    return format;
  }

  PlainDevices devices() {
    return devices;
  }

  LayoutRangeSource source() {
    return source;
  }

  /** What became of the layers that have a zTOC. */
  List<LayerIndex> lazy() {
    return lazy;
  }

  /** The layers of the image that the index of version 2 is of. */
  static List<LayerFormat.Layer> v2(Fixtures fixtures) {
    return layers(fixtures, fixtures.listedDescriptors(ZtocFixtures.V2).getFirst());
  }

  /** The layers of the image that the index of version 1 refers to. */
  static List<LayerFormat.Layer> v1(Fixtures fixtures) {
    return layers(fixtures, fixtures.descriptor(Fixtures.SOURCE));
  }

  private static List<LayerFormat.Layer> layers(Fixtures fixtures, Descriptor manifest) {
    LayerFormat.Image image =
        new LayerFormat.Image(
            new ImageReference(fixtures.repository(), null, manifest.digest()),
            manifest.digest(),
            fixtures.document(manifest.digest()));
    List<Digest> diffIds = fixtures.diffIds(image.manifest());
    List<LayerFormat.Layer> layers = new ArrayList<>();
    for (int at = 0; at < diffIds.size(); at++) {
      layers.add(new LayerFormat.Layer(image, at, diffIds.get(at), Set.of(fixtures.repository())));
    }
    return layers;
  }

  /** Indexes and merges layers; those that have no zTOC are streamed. */
  Path merge(List<LayerFormat.Layer> layers, IndexTrust trust)
      throws IOException, InterruptedException {
    List<Path> images = new ArrayList<>();
    for (LayerFormat.Layer layer : layers) {
      Path image = directory.resolve("layer" + layer.position());
      Recognition recognition = format.recognise(layer, trust);
      if (recognition instanceof Recognition.Tree(var indexer, var _)) {
        lazy.add(indexer.index(image, devices));
      } else if (new TarFormat(source).recognise(layer, trust)
          instanceof Recognition.Tree(var indexer, var _)) {
        indexer.index(image, devices);
      }
      images.add(image);
    }
    Path merged = directory.resolve("merged");
    MetadataImageMerge.merge(images, merged);
    return merged;
  }
}

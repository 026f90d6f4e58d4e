package sluice.formats.tar;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import sluice.core.Descriptor;
import sluice.core.DeviceStore;
import sluice.core.Digest;
import sluice.core.ImageDocument;
import sluice.core.ImageReference;
import sluice.core.IndexTrust;
import sluice.core.LayerFormat;
import sluice.core.LayerIndex;
import sluice.core.RangeSource;
import sluice.core.Repository;
import sluice.erofs.MetadataImageMerge;
import sluice.formats.testing.BlobSource;
import sluice.formats.testing.PlainDevices;
import sluice.testing.Fixtures;

/** Indexes layers by {@link TarFormat} into a directory, and merges them. */
final class Layers {

  static final String GZIP = "application/vnd.oci.image.layer.v1.tar+gzip";
  static final String TAR = "application/vnd.oci.image.layer.v1.tar";

  private static final Repository REPOSITORY = new Repository.InRegistry("registry.test", "a");
  private static final Descriptor CONFIG =
      new Descriptor("application/vnd.oci.image.config.v1+json", Digest.sha256(new byte[0]), 0);

  private final Path directory;
  private final PlainDevices devices;

  Layers(Path directory) {
    this.directory = directory;
    this.devices = new PlainDevices(directory);
  }

  PlainDevices devices() {
    return devices;
  }

  /** Indexes and merges all layers of a fixture's source image. */
  Path merge(Fixtures fixture) throws IOException, InterruptedException {
    ImageDocument.Manifest manifest = fixture.document(Fixtures.SOURCE);
    List<Digest> diffIds = fixture.diffIds(Fixtures.SOURCE);
    BlobSource source = new BlobSource(blob -> Files.readAllBytes(fixture.blob(blob)));
    List<Path> images = new ArrayList<>();
    for (int i = 0; i < diffIds.size(); i++) {
      Path image = directory.resolve("layer" + i);
      index(
          source,
          new LayerFormat.Layer(image(manifest), i, diffIds.get(i), Set.of(REPOSITORY)),
          image);
      images.add(image);
    }
    return merge(images);
  }

  /** Indexes and merges one layer that is a plain tar stream. */
  Path merge(byte[] tar) throws IOException, InterruptedException {
    Path image = directory.resolve("layer");
    index(new BlobSource(blob -> tar), layer(TAR, tar, Digest.sha256(tar)), image);
    return merge(List.of(image));
  }

  LayerIndex index(RangeSource source, LayerFormat.Layer layer, Path image)
      throws IOException, InterruptedException {
    return index(source, layer, image, devices);
  }

  static LayerIndex index(
      RangeSource source, LayerFormat.Layer layer, Path image, DeviceStore devices)
      throws IOException, InterruptedException {
    return switch (new TarFormat(source).recognise(layer, IndexTrust.PINNED)) {
      case LayerFormat.Recognition.Tree(var indexer, var _) -> indexer.index(image, devices);
      case LayerFormat.Recognition other -> throw new AssertionError("recognised as " + other);
    };
  }

  /** A layer of an image that has no other. */
  static LayerFormat.Layer layer(String mediaType, byte[] blob, Digest diffId) {
    return layer(new Descriptor(mediaType, Digest.sha256(blob), blob.length), diffId);
  }

  static LayerFormat.Layer layer(Descriptor descriptor, Digest diffId) {
    return new LayerFormat.Layer(
        image(new ImageDocument.Manifest(CONFIG, List.of(descriptor), Map.of(), null, null)),
        0,
        diffId,
        Set.of(REPOSITORY));
  }

  private static LayerFormat.Image image(ImageDocument.Manifest manifest) {
    Digest digest = manifest.config().digest();
    return new LayerFormat.Image(new ImageReference(REPOSITORY, null, digest), digest, manifest);
  }

  private Path merge(List<Path> images) throws IOException {
    Path merged = directory.resolve("merged");
    MetadataImageMerge.merge(images, merged);
    return merged;
  }
}

package sluice.snapshotter.image;

import java.util.List;
import java.util.Map;
import java.util.Set;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.ImageDocument;
import sluice.core.ImageReference;
import sluice.core.LayerFormat;
import sluice.core.Repository;

/** Layers of images that have no other. */
final class LoneLayers {

  static final Repository HERE = new Repository.InRegistry("here.example", "a");
  static final Repository THERE = new Repository.InRegistry("there.example", "b");

  private LoneLayers() {}

  static LayerFormat.Layer alone(Descriptor descriptor) {
    return alone(descriptor, FakeRegistry.diffId(descriptor), HERE);
  }

  static LayerFormat.Layer alone(Descriptor descriptor, Digest diffId, Repository holder) {
    Descriptor config = FakeRegistry.layer(FakeRegistry.CONFIG, "configuration");
    return alone(descriptor, diffId, holder, config);
  }

  /** In an image of its own digest, which is that of its configuration. */
  static LayerFormat.Layer alone(
      Descriptor descriptor, Digest diffId, Repository holder, Descriptor config) {
    ImageDocument.Manifest manifest =
        new ImageDocument.Manifest(config, List.of(descriptor), Map.of(), null, null);
    return new LayerFormat.Layer(
        new LayerFormat.Image(
            new ImageReference(holder, null, config.digest()), config.digest(), manifest),
        0,
        diffId,
        Set.of(holder));
  }
}

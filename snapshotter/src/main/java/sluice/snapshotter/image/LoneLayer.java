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
import sluice.snapshotter.state.LazyLayer;

/** Layers of which nobody asks what else is in their image. */
final class LoneLayer {

  /** OCI image specification, "Guidance for an Empty Descriptor". */
  private static final Descriptor NO_CONFIG =
      new Descriptor(
          "application/vnd.oci.empty.v1+json",
          Digest.parse("sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"),
          2);

  /** OCI image specification, "Media Types". */
  private static final String TAR = "application/vnd.oci.image.layer.v1.tar";

  private LoneLayer() {}

  /** The layer as the store knows it. */
  static LayerFormat.Layer of(LazyLayer layer, Set<Repository> holders) {
    ImageReference reference = ImageReference.parse(layer.image());
    return of(reference, layer.manifest(), layer.layer(), layer.diffId(), holders);
  }

  /** The same bytes as an uncompressed tar, which is what a diff ID that is the digest says. */
  static LayerFormat.Layer asTar(LayerFormat.Layer layer) {
    Descriptor blob = layer.descriptor();
    return of(
        layer.image().reference(),
        layer.image().digest(),
        new Descriptor(TAR, blob.digest(), blob.sizeBytes()),
        layer.diffId(),
        layer.holders());
  }

  private static LayerFormat.Layer of(
      ImageReference reference,
      Digest manifest,
      Descriptor layer,
      Digest diffId,
      Set<Repository> holders) {
    ImageDocument.Manifest alone =
        new ImageDocument.Manifest(NO_CONFIG, List.of(layer), Map.of(), null, null);
    return new LayerFormat.Layer(
        new LayerFormat.Image(reference, manifest, alone), 0, diffId, holders);
  }
}

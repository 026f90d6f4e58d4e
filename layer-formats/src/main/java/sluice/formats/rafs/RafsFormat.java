package sluice.formats.rafs;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.Fidelity;
import sluice.core.IndexOrigin;
import sluice.core.IndexTrust;
import sluice.core.LayerFormat;
import sluice.core.Platform;
import sluice.core.RangeSource;

/**
 * RAFS v6, as nydus writes it. The bootstrap is a layer of the manifest, usually the topmost, and
 * holds the tree of the image up to there; the layers below hold data for it, or say where it lies
 * in an ordinary gzip layer of the same repository (zran).
 *
 * <p>Refused, with the reason: RAFS v5, encrypted blobs, layers whose diff-id is not what the
 * format implies.
 */
public final class RafsFormat implements LayerFormat {

  /** Media type of a blob (nydus-snapshotter, {@code pkg/converter/constant.go}, as all here). */
  public static final String BLOB_MEDIA_TYPE = "application/vnd.oci.image.layer.nydus.blob.v1";

  /** Artifact type of a nydus image, on its descriptor in an index. */
  public static final String ARTIFACT_TYPE = "application/vnd.nydus.image.manifest.v1+json";

  /** The {@code os.features} entry that older converters put on that descriptor. */
  public static final String OS_FEATURE = "nydus.remoteimage.v1";

  public static final String BLOB_ANNOTATION = "containerd.io/snapshot/nydus-blob";
  public static final String BOOTSTRAP_ANNOTATION = "containerd.io/snapshot/nydus-bootstrap";
  public static final String FS_VERSION_ANNOTATION = "containerd.io/snapshot/nydus-fs-version";

  /** Names the gzip layer that a blob refers into. */
  static final String REFERENCE_ANNOTATION = "containerd.io/snapshot/nydus-ref";

  /**
   * As nydus-image writes trees: a merged one's root is new, times are unsigned seconds, and a
   * directory that it makes up for a file of one layer hides what those below say of it.
   */
  private static final Fidelity FIDELITY =
      new Fidelity(Set.of(), Fidelity.Times.WHOLE_SECONDS_FROM_1970, false, true);

  private static final String ENCRYPTED_ANNOTATION = "containerd.io/snapshot/nydus-encrypted-blob";
  private static final String FS_VERSION = "6";

  private final RangeSource source;

  /**
   * @param source where bootstraps come from
   */
  public RafsFormat(RangeSource source) {
    this.source = source;
  }

  /**
   * Whether an index says that the manifest is a nydus image, usually a variant of a plain image in
   * the same index.
   */
  @Override
  public boolean isVariant(Descriptor manifest) {
    Platform platform = manifest.platform();
    return ARTIFACT_TYPE.equals(manifest.artifactType())
        || (platform != null && platform.osFeatures().contains(OS_FEATURE));
  }

  /**
   * A blob by its media type, which every converter gives it, and not by its annotation: an
   * ordinary layer in whose descriptor somebody put that is still one.
   */
  @Override
  public Optional<ImagePart> imagePart(Descriptor layer) {
    if (layer.annotations().containsKey(BOOTSTRAP_ANNOTATION)) {
      return Optional.of(ImagePart.TREE);
    }
    return layer.mediaType().equals(BLOB_MEDIA_TYPE)
        ? Optional.of(ImagePart.DATA)
        : Optional.empty();
  }

  @Override
  public String name() {
    return "rafs";
  }

  @Override
  public Fidelity fidelity() {
    return FIDELITY;
  }

  @Override
  public Recognition recognise(Layer layer, IndexTrust trust) {
    Descriptor descriptor = layer.descriptor();
    Optional<ImagePart> part = imagePart(descriptor);
    if (part.isEmpty()) {
      return new Recognition.Foreign();
    }
    Optional<String> reason = refusal(layer, part.get());
    if (reason.isPresent()) {
      return new Recognition.Refused(reason.get());
    }
    return switch (part.get()) {
      case TREE ->
          new Recognition.ImageTree(
              new RafsIndexer(source, layer),
              IndexOrigin.ofLayer("the bootstrap layer", descriptor.sizeBytes()));
      case DATA -> new Recognition.DataOnly();
    };
  }

  /** Why the image as a whole, or this layer of it, is not served. */
  private static Optional<String> refusal(Layer layer, ImagePart part) {
    Descriptor descriptor = layer.descriptor();
    for (Descriptor each : layer.manifest().layers()) {
      Map<String, String> annotations = each.annotations();
      if (annotations.containsKey(ENCRYPTED_ANNOTATION)) {
        return Optional.of(
            "nydus blob %s is encrypted, and Sluice has no way to get its key"
                .formatted(each.digest()));
      }
      String version = annotations.getOrDefault(FS_VERSION_ANNOTATION, FS_VERSION);
      if (!version.equals(FS_VERSION)) {
        return Optional.of(
            "nydus bootstrap %s is RAFS v%s, and Sluice reads only v6: convert the image's source anew with `sluice convert`"
                .formatted(each.digest(), version));
      }
    }
    if (descriptor.digest().algorithm() != Digest.Algorithm.SHA256) {
      return Optional.of("nydus layer " + descriptor.digest() + " is not named by a SHA-256");
    }
    if (part == ImagePart.DATA && !layer.diffId().equals(descriptor.digest())) {
      return Optional.of(
          "nydus blob %s has the diff-id %s in the image's configuration, but a blob's diff-id is its digest"
              .formatted(descriptor.digest(), layer.diffId()));
    }
    return part == ImagePart.TREE || hasBootstrapAbove(layer)
        ? Optional.empty()
        : Optional.of(
            "nydus blob %s has no nydus bootstrap above it, which would hold its tree"
                .formatted(descriptor.digest()));
  }

  /** A bootstrap shows all layers below it; ordinary ones may lie on it. */
  private static boolean hasBootstrapAbove(Layer layer) {
    List<Descriptor> layers = layer.manifest().layers();
    return layers.subList(layer.position() + 1, layers.size()).stream()
        .anyMatch(each -> each.annotations().containsKey(BOOTSTRAP_ANNOTATION));
  }
}

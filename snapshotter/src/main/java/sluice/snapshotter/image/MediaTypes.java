package sluice.snapshotter.image;

import java.util.Set;
import sluice.core.Descriptor;
import sluice.core.Platform;

/** Media types of indexes, and the marks of RAFS manifests in them. */
final class MediaTypes {

  /** OCI image specification, "Media Types"; Docker registry, "Image Manifest V 2, Schema 2". */
  private static final Set<String> INDEXES =
      Set.of(
          "application/vnd.oci.image.index.v1+json",
          "application/vnd.docker.distribution.manifest.list.v2+json");

  private static final Set<String> IMAGE_CONFIGS =
      Set.of(
          "application/vnd.oci.image.config.v1+json",
          "application/vnd.docker.container.image.v1+json");

  /** What nydusify writes into the index's descriptor since nydus 2.3.5. */
  static final String RAFS_ARTIFACT = "application/vnd.nydus.image.manifest.v1+json";

  /** What nydusify wrote before: a feature of the descriptor's platform. */
  static final String RAFS_OS_FEATURE = "nydus.remoteimage.v1";

  private MediaTypes() {}

  static boolean isIndex(Descriptor descriptor) {
    return INDEXES.contains(descriptor.mediaType());
  }

  /** Whether the index says that the manifest holds the image as RAFS. */
  static boolean isRafs(Descriptor descriptor) {
    Platform platform = descriptor.platform();
    return RAFS_ARTIFACT.equals(descriptor.artifactType())
        || (platform != null && platform.osFeatures().contains(RAFS_OS_FEATURE));
  }

  /** Whether the index says that the manifest is no image: a signature, an attestation, an SBOM. */
  static boolean isForeignArtifact(Descriptor descriptor) {
    String type = descriptor.artifactType();
    return type != null && !type.equals(RAFS_ARTIFACT) && !IMAGE_CONFIGS.contains(type);
  }
}

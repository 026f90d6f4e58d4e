package sluice.snapshotter.image;

import java.util.Set;
import sluice.core.Descriptor;

/** Media types of indexes and of image configurations. */
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

  private MediaTypes() {}

  static boolean isIndex(Descriptor descriptor) {
    return INDEXES.contains(descriptor.mediaType());
  }

  /** Whether the index says that the manifest is no image: a signature, an attestation, an SBOM. */
  static boolean isForeignArtifact(Descriptor descriptor) {
    String type = descriptor.artifactType();
    return type != null && !IMAGE_CONFIGS.contains(type);
  }
}

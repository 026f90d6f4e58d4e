package sluice.registry;

import java.util.List;
import java.util.Set;

/** Media types of documents (OCI image specification, "Media Types"; Docker image manifest V2). */
final class MediaTypes {

  static final String OCI_INDEX = "application/vnd.oci.image.index.v1+json";
  static final String OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
  static final String DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json";
  static final String DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";

  /** Docker's first manifests, unsigned and signed; refused by name. */
  static final Set<String> SCHEMA_1 =
      Set.of(
          "application/vnd.docker.distribution.manifest.v1+json",
          "application/vnd.docker.distribution.manifest.v1+prettyjws");

  /** What is accepted where a manifest or an index may come, the ones that are preferred first. */
  static final List<String> DOCUMENTS =
      List.of(OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST);

  private MediaTypes() {}

  /** Whether content of this type lies among the manifests of a repository, not its blobs. */
  static boolean isDocument(String mediaType) {
    return DOCUMENTS.contains(mediaType) || SCHEMA_1.contains(mediaType);
  }

  static boolean isIndex(String mediaType) {
    return mediaType.equals(OCI_INDEX) || mediaType.equals(DOCKER_LIST);
  }
}

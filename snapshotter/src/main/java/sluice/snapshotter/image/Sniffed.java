package sluice.snapshotter.image;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.util.Optional;
import sluice.core.Bytes;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.ImageRegistry.Content;

/** Content of which only the digest is known: its media type stands in it, or shows by its form. */
final class Sniffed {

  private static final JsonMapper JSON = new JsonMapper();
  private static final String OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
  private static final String OCI_INDEX = "application/vnd.oci.image.index.v1+json";

  private Sniffed() {}

  /** The manifest or index that {@code bytes} are; empty if they are something else. */
  static Optional<Content> document(Digest digest, Bytes bytes) {
    JsonNode root;
    try {
      root = JSON.readTree(bytes.toArray());
    } catch (IOException e) {
      return Optional.empty();
    }
    if (root == null) {
      return Optional.empty();
    }
    String form;
    if (root.path("layers").isArray()) {
      form = OCI_MANIFEST;
    } else if (root.path("manifests").isArray()) {
      form = OCI_INDEX;
    } else {
      return Optional.empty();
    }
    String mediaType = root.path("mediaType").asText(form);
    return Optional.of(new Content(new Descriptor(mediaType, digest, bytes.length()), bytes));
  }
}

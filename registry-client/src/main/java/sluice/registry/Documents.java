package sluice.registry;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import sluice.core.Bytes;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.ImageConfig;
import sluice.core.ImageDocument;
import sluice.core.ImageRegistry.Content;

/**
 * Reads manifests, indexes and configurations (OCI image specification; Docker image manifest V2,
 * schema 2). What they leave out that is required, or give in another type, is a {@link
 * CorruptException} that names the field.
 */
final class Documents {

  private Documents() {}

  /** Reads an index or a manifest of the media type that its descriptor has. */
  static ImageDocument document(Content content) throws CorruptException {
    String resource = resource("manifest", content);
    JsonObject root = JsonObject.parse(content.bytes(), resource);
    String mediaType = content.descriptor().mediaType();
    refuseSchema1(root, mediaType);
    checkSchemaVersion(root);
    refuseAmbiguity(root, mediaType);
    if (MediaTypes.isIndex(mediaType)) {
      requireList(root, "manifests");
      return new ImageDocument.Index(
          Descriptors.parseAll(root.objects("manifests")), root.strings("annotations"));
    }
    if (!MediaTypes.isDocument(mediaType)) {
      throw root.corrupt("media type " + mediaType + " is neither a manifest's nor an index's");
    }
    return manifest(root);
  }

  /** Reads an image configuration. */
  static ImageConfig config(Content content) throws CorruptException {
    JsonObject root = JsonObject.parse(content.bytes(), resource("config", content));
    JsonObject rootfs =
        root.object("rootfs")
            .orElseThrow(() -> root.corrupt("rootfs: an object expected, is missing"));
    List<Digest> diffIds = new ArrayList<>();
    for (String diffId : rootfs.texts("diff_ids")) {
      diffIds.add(Descriptors.digest(rootfs, diffId));
    }
    return new ImageConfig(Descriptors.platformOf(root), diffIds);
  }

  /**
   * The media type of a document, which is what it says itself, else what the server says, else
   * what it looks like.
   *
   * @param served the server's {@code Content-Type} without parameters, empty if it sent none
   * @throws CorruptException if document and server contradict each other; a digest must not mean
   *     two things (CVE-2021-41190)
   */
  static String mediaType(Bytes document, String served, String resource) throws CorruptException {
    JsonObject root = JsonObject.parse(document, resource);
    refuseSchema1(root, served);
    Optional<String> own = ownMediaType(root);
    if (own.isPresent()) {
      if (MediaTypes.isDocument(served) && !served.equals(own.get())) {
        throw root.corrupt("mediaType is " + own.get() + ", but it was served as " + served);
      }
      return own.get();
    }
    if (MediaTypes.isDocument(served)) {
      return served;
    }
    return root.has("manifests") ? MediaTypes.OCI_INDEX : MediaTypes.OCI_MANIFEST;
  }

  /** Readers written in Go, containerd among them, cannot tell an empty one from none. */
  private static Optional<String> ownMediaType(JsonObject root) throws CorruptException {
    return root.optionalText("mediaType").filter(own -> !own.isEmpty());
  }

  private static ImageDocument.Manifest manifest(JsonObject root) throws CorruptException {
    requireList(root, "layers");
    JsonObject config =
        root.object("config")
            .orElseThrow(() -> root.corrupt("config: a descriptor expected, is missing"));
    return new ImageDocument.Manifest(
        Descriptors.parse(config),
        Descriptors.parseAll(root.objects("layers")),
        root.strings("annotations"),
        subject(root),
        root.optionalText("artifactType").orElse(null));
  }

  private static @Nullable Descriptor subject(JsonObject root) throws CorruptException {
    Optional<JsonObject> subject = root.object("subject");
    return subject.isPresent() ? Descriptors.parse(subject.get()) : null;
  }

  private static void refuseSchema1(JsonObject root, String mediaType) throws CorruptException {
    boolean version1 = root.node().path("schemaVersion").asInt() == 1;
    if (version1 || MediaTypes.SCHEMA_1.contains(mediaType)) {
      throw root.corrupt(
          "Docker manifests of schema 1 have no digests that can be trusted and are not read;"
              + " push the image again with a tool of this decade");
    }
  }

  private static void checkSchemaVersion(JsonObject root) throws CorruptException {
    long version = root.count("schemaVersion");
    if (version != 2) {
      throw root.corrupt("schemaVersion: 2 expected, found " + version);
    }
  }

  /** A document must not be an index to one reader and a manifest to another (CVE-2021-41190). */
  private static void refuseAmbiguity(JsonObject root, String mediaType) throws CorruptException {
    Optional<String> own = ownMediaType(root);
    if (own.isPresent() && !own.get().equals(mediaType)) {
      throw root.corrupt("mediaType is " + own.get() + ", its descriptor says " + mediaType);
    }
    if (root.has("manifests") && (root.has("layers") || root.has("config"))) {
      throw root.corrupt("it has the fields of an index and of a manifest");
    }
  }

  /** Go writes an empty list as null, but the field is there. */
  private static void requireList(JsonObject root, String name) throws CorruptException {
    if (!root.node().has(name)) {
      throw root.corrupt(name + ": a list expected, is missing");
    }
  }

  private static String resource(String kind, Content content) {
    return kind + ' ' + content.descriptor().digest();
  }
}

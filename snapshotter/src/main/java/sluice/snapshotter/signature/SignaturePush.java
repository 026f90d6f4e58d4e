package sluice.snapshotter.signature;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import sluice.core.Bytes;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.FetchException;
import sluice.core.ImageDocument;
import sluice.core.ImagePublisher;
import sluice.core.ImageReference;
import sluice.core.ImageRegistry;
import sluice.core.ImageRegistry.Content;
import sluice.core.Repository;

/** Signs manifests and puts the signatures where cosign does, beside those that are there. */
public final class SignaturePush {

  private static final String MANIFEST = "application/vnd.oci.image.manifest.v1+json";
  private static final String CONFIG = "application/vnd.oci.image.config.v1+json";

  /** As cosign writes it, so that no two writers of a signature have different configurations. */
  private static final String NO_TIME = "0001-01-01T00:00:00Z";

  private static final JsonMapper JSON = new JsonMapper();

  private final ImageRegistry registry;
  private final ImagePublisher publisher;

  public SignaturePush(ImageRegistry registry, ImagePublisher publisher) {
    this.registry = registry;
    this.publisher = publisher;
  }

  /**
   * Signs a manifest. Of two who sign the same at once, one may be lost.
   *
   * @param repository holds the manifest
   * @return where the signature is
   */
  public ImageReference push(Repository repository, Digest manifest, SigningKey key)
      throws IOException, InterruptedException {
    ImageReference place = SignatureTag.of(repository, manifest);
    List<Descriptor> signatures = new ArrayList<>(existing(place));
    Bytes payload = new SignedPayload(manifest).write(repository);
    signatures.add(
        described(
            SignedPayload.MEDIA_TYPE,
            payload,
            Map.of(SignatureTag.SIGNATURE, Base64.getEncoder().encodeToString(key.sign(payload)))));
    Bytes config = config(signatures);
    put(repository, described(CONFIG, config, Map.of()), config);
    put(repository, signatures.getLast(), payload);
    Bytes document = document(described(CONFIG, config, Map.of()), signatures);
    publisher.putManifest(place, new Content(described(MANIFEST, document, Map.of()), document));
    return place;
  }

  private List<Descriptor> existing(ImageReference place) throws IOException, InterruptedException {
    try {
      return switch (registry.document(registry.resolve(place))) {
        case ImageDocument.Manifest manifest -> manifest.layers();
        case ImageDocument.Index _ ->
            throw new IOException(place + " is an index, expected signatures; delete it first");
      };
    } catch (FetchException e) {
      if (e.reason() == FetchException.Reason.NOT_FOUND) {
        return List.of();
      }
      throw e;
    }
  }

  private void put(Repository repository, Descriptor descriptor, Bytes content)
      throws IOException, InterruptedException {
    Path file = Files.createTempFile("sluice-signature", ".json");
    try {
      Files.write(file, content.toArray());
      publisher.putBlob(repository, descriptor, file);
    } finally {
      Files.deleteIfExists(file);
    }
  }

  private static Bytes config(List<Descriptor> signatures) {
    ObjectNode config = JSON.createObjectNode().put("architecture", "").put("created", NO_TIME);
    ArrayNode history = config.putArray("history");
    signatures.forEach(signature -> history.addObject().put("created", NO_TIME));
    ObjectNode rootfs = config.put("os", "").putObject("rootfs").put("type", "layers");
    ArrayNode diffIds = rootfs.putArray("diff_ids");
    signatures.forEach(signature -> diffIds.add(signature.digest().toString()));
    config.putObject("config");
    return Bytes.utf8(config.toString());
  }

  private static Bytes document(Descriptor config, List<Descriptor> signatures) {
    ObjectNode manifest =
        JSON.createObjectNode().put("schemaVersion", 2).put("mediaType", MANIFEST);
    manifest.set("config", node(config));
    ArrayNode layers = manifest.putArray("layers");
    signatures.forEach(signature -> layers.add(node(signature)));
    return Bytes.utf8(manifest.toString());
  }

  private static ObjectNode node(Descriptor descriptor) {
    ObjectNode node =
        JSON.createObjectNode()
            .put("mediaType", descriptor.mediaType())
            .put("size", descriptor.sizeBytes())
            .put("digest", descriptor.digest().toString());
    if (!descriptor.annotations().isEmpty()) {
      ObjectNode annotations = node.putObject("annotations");
      descriptor.annotations().forEach(annotations::put);
    }
    return node;
  }

  private static Descriptor described(
      String mediaType, Bytes content, Map<String, String> annotations) {
    return new Descriptor(
        mediaType,
        Digest.sha256(content.toArray()),
        content.length(),
        annotations,
        List.of(),
        null,
        null);
  }
}

package sluice.command.convert;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import sluice.core.Bytes;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.ImageRegistry.Content;
import sluice.formats.rafs.RafsConverter.Converted;
import sluice.formats.rafs.RafsFormat;
import sluice.snapshotter.image.ImageManifest;

/**
 * The configuration and the manifest of a RAFS image, of OCI's media types whatever the source has.
 * The same source and layers give the same bytes.
 */
final class TargetDocuments {

  private static final String MANIFEST = "application/vnd.oci.image.manifest.v1+json";
  private static final String CONFIG = "application/vnd.oci.image.config.v1+json";

  /** Digest of the source's manifest (nydus, {@code contrib/nydusify/pkg/utils/constant.go}). */
  private static final String SOURCE_ANNOTATION = "containerd.io/snapshot/nydus-source-digest";

  /** By this comment nydus' tools know the bootstrap's entry in the history. */
  private static final String BOOTSTRAP_COMMENT = "Nydus Bootstrap Layer";

  private static final JsonMapper JSON =
      JsonMapper.builder().enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS).build();

  private TargetDocuments() {}

  /** The source's configuration, about the layers of {@code converted}. */
  static Content config(ImageManifest source, Converted converted) throws IOException {
    Content content = source.configContent();
    JsonNode parsed = JSON.readTree(content.bytes().toArray());
    if (!(parsed instanceof ObjectNode config)) {
      throw new CorruptException(
          "image configuration: a JSON object expected, found " + parsed.getNodeType(),
          "configuration " + content.descriptor().digest(),
          -1);
    }
    ArrayNode diffIds = config.putObject("rootfs").put("type", "layers").putArray("diff_ids");
    converted.blob().ifPresent(blob -> diffIds.add(blob.digest().toString()));
    diffIds.add(converted.bootstrapDiffId().toString());
    rewriteHistory(config, converted);
    return content(CONFIG, config);
  }

  /**
   * Entries that are not empty stand for the layers, one for one (OCI image configuration, {@code
   * history}). No layer of the source is left as one, so all its entries become empty.
   */
  private static void rewriteHistory(ObjectNode config, Converted converted) {
    JsonNode before = config.path("history");
    ArrayNode history = config.putArray("history");
    for (JsonNode entry : before) {
      if (entry instanceof ObjectNode object) {
        history.add(object.put("empty_layer", true));
      }
    }
    if (converted.blob().isPresent()) {
      addEntry(history, "RAFS data of all layers");
    }
    addEntry(history, BOOTSTRAP_COMMENT);
  }

  private static void addEntry(ArrayNode history, String comment) {
    history.addObject().put("created_by", "sluice convert").put("comment", comment);
  }

  /** The manifest of the configuration and the layers. */
  static Content manifest(ImageManifest source, Descriptor config, List<Descriptor> layers)
      throws IOException {
    ObjectNode manifest =
        JSON.createObjectNode().put("schemaVersion", 2).put("mediaType", MANIFEST);
    manifest.set("config", descriptor(config));
    ArrayNode array = manifest.putArray("layers");
    layers.forEach(layer -> array.add(descriptor(layer)));
    Map<String, String> annotations = new TreeMap<>(source.manifest().annotations());
    annotations.put(RafsFormat.FS_VERSION_ANNOTATION, "6");
    annotations.put(SOURCE_ANNOTATION, source.digest().toString());
    manifest.set("annotations", strings(annotations));
    return content(MANIFEST, manifest);
  }

  private static ObjectNode descriptor(Descriptor descriptor) {
    ObjectNode node =
        JSON.createObjectNode()
            .put("mediaType", descriptor.mediaType())
            .put("digest", descriptor.digest().toString())
            .put("size", descriptor.sizeBytes());
    if (!descriptor.annotations().isEmpty()) {
      node.set("annotations", strings(new TreeMap<>(descriptor.annotations())));
    }
    return node;
  }

  private static ObjectNode strings(Map<String, String> sorted) {
    ObjectNode node = JSON.createObjectNode();
    sorted.forEach(node::put);
    return node;
  }

  private static Content content(String mediaType, ObjectNode document)
      throws JsonProcessingException {
    byte[] bytes = JSON.writeValueAsBytes(document);
    return new Content(
        new Descriptor(mediaType, Digest.sha256(bytes), bytes.length), Bytes.of(bytes));
  }
}

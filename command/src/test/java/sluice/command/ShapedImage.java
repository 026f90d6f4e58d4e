package sluice.command;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.github.luben.zstd.Zstd;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import sluice.core.Digest;

/** Writes the documents of images as registries hold them, in forms that our other tests lack. */
final class ShapedImage {

  static final String OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
  static final String OCI_INDEX = "application/vnd.oci.image.index.v1+json";
  static final String DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";
  static final String DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json";
  static final String OCI_CONFIG = "application/vnd.oci.image.config.v1+json";
  static final String DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json";
  static final String OCI_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip";
  static final String OCI_ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd";
  static final String DOCKER_GZIP = "application/vnd.docker.image.rootfs.diff.tar.gzip";
  static final String DOCKER_FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";

  /** A skippable frame's magic number (RFC 8878, section 3.1.2). */
  private static final int SKIPPABLE = 0x184d2a50;

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path layout;
  private final Map<String, ObjectNode> manifests = new LinkedHashMap<>();

  private ShapedImage(Path layout) {
    this.layout = layout;
  }

  /** Begins a layout in a directory that is made. */
  static ShapedImage in(Path layout) throws IOException {
    Files.createDirectories(layout.resolve("blobs/sha256"));
    Files.writeString(layout.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
    return new ShapedImage(layout);
  }

  /** A layer: its descriptor, to which more may be added, and its diff ID. */
  record Layer(ObjectNode descriptor, Digest diffId) {}

  @FunctionalInterface
  interface Entries {
    void to(LayerTar tar) throws IOException;
  }

  Layer gzip(String mediaType, Entries entries) throws IOException {
    byte[] tar = tar(entries);
    ByteArrayOutputStream blob = new ByteArrayOutputStream();
    try (OutputStream gzip = new GZIPOutputStream(blob)) {
      gzip.write(tar);
    }
    return new Layer(store(mediaType, blob.toByteArray()), Digest.sha256(tar));
  }

  /** Two frames with skippable ones before, between and behind them. */
  Layer zstdWithSkippableFrames(Entries entries) throws IOException {
    byte[] tar = tar(entries);
    ByteArrayOutputStream blob = new ByteArrayOutputStream();
    blob.write(skippable(5));
    blob.write(Zstd.compress(slice(tar, 0, 700)));
    blob.write(skippable(0));
    blob.write(Zstd.compress(slice(tar, 700, tar.length)));
    blob.write(skippable(4096));
    return new Layer(store(OCI_ZSTD, blob.toByteArray()), Digest.sha256(tar));
  }

  private static byte[] slice(byte[] bytes, int from, int to) {
    return Arrays.copyOfRange(bytes, from, to);
  }

  private static byte[] skippable(int length) {
    ByteBuffer frame = ByteBuffer.allocate(8 + length).order(ByteOrder.LITTLE_ENDIAN);
    return frame.putInt(SKIPPABLE).putInt(length).array();
  }

  private byte[] tar(Entries entries) throws IOException {
    Path file = layout.resolve("layer.tar");
    try (LayerTar tar = LayerTar.create(file)) {
      entries.to(tar);
    }
    byte[] bytes = Files.readAllBytes(file);
    Files.delete(file);
    return bytes;
  }

  /** A configuration without history, and its manifest; returns the manifest's descriptor. */
  ObjectNode manifest(String manifestType, String configType, List<Layer> layers)
      throws IOException {
    return manifest(manifestType, configType, layers, false);
  }

  /**
   * The same.
   *
   * @param embedded whether the manifest embeds configuration and layers ({@code data})
   */
  ObjectNode manifest(String manifestType, String configType, List<Layer> layers, boolean embedded)
      throws IOException {
    ObjectNode config = JSON.createObjectNode().put("architecture", "amd64").put("os", "linux");
    ArrayNode diffIds = config.putObject("rootfs").put("type", "layers").putArray("diff_ids");
    layers.forEach(layer -> diffIds.add(layer.diffId.toString()));
    ObjectNode manifest = JSON.createObjectNode().put("schemaVersion", 2);
    manifest.put("mediaType", manifestType);
    manifest.set("config", embedded(store(configType, JSON.writeValueAsBytes(config)), embedded));
    ArrayNode list = manifest.putArray("layers");
    for (Layer layer : layers) {
      list.add(embedded(layer.descriptor.deepCopy(), embedded));
    }
    return store(manifestType, JSON.writeValueAsBytes(manifest));
  }

  private ObjectNode embedded(ObjectNode descriptor, boolean embedded) throws IOException {
    if (embedded) {
      byte[] content = Files.readAllBytes(blob(Digest.parse(descriptor.get("digest").asText())));
      descriptor.put("data", Base64.getEncoder().encodeToString(content));
    }
    return descriptor;
  }

  /** An index of manifests, or of indexes. */
  ObjectNode index(String mediaType, ObjectNode... manifests) throws IOException {
    ObjectNode index = JSON.createObjectNode().put("schemaVersion", 2).put("mediaType", mediaType);
    for (ObjectNode manifest : manifests) {
      index.withArray("manifests").add(manifest);
    }
    return store(mediaType, JSON.writeValueAsBytes(index));
  }

  static ObjectNode on(ObjectNode manifest, String architecture) {
    ObjectNode copy = manifest.deepCopy();
    copy.putObject("platform").put("os", "linux").put("architecture", architecture);
    return copy;
  }

  /** Names what the descriptor describes, besides what has other names. */
  void tag(ObjectNode descriptor, String tag) throws IOException {
    ObjectNode named = descriptor.deepCopy();
    named.withObject("annotations").put("org.opencontainers.image.ref.name", tag);
    manifests.put(tag, named);
    ObjectNode index = JSON.createObjectNode().put("schemaVersion", 2);
    index.withArray("manifests").addAll(manifests.values());
    JSON.writeValue(layout.resolve("index.json").toFile(), index);
  }

  void deleteBlob(Layer layer) throws IOException {
    Files.delete(blob(Digest.parse(layer.descriptor.get("digest").asText())));
  }

  /** Takes a blob into the layout. */
  ObjectNode store(String mediaType, byte[] content) throws IOException {
    Digest digest = Digest.sha256(content);
    Files.write(blob(digest), content);
    return JSON.createObjectNode()
        .put("mediaType", mediaType)
        .put("digest", digest.toString())
        .put("size", content.length);
  }

  private Path blob(Digest digest) {
    return layout.resolve("blobs/sha256").resolve(digest.hex());
  }
}

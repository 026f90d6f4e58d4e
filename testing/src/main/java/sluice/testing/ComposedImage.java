package sluice.testing;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.ImageDocument;

/**
 * An ordinary image for linux/amd64 that is put together of layers of other images, as one that was
 * built on the same base is.
 *
 * @param layers lowest first
 */
public record ComposedImage(List<Layer> layers) {

  private static final String MANIFEST = "application/vnd.oci.image.manifest.v1+json";
  private static final String CONFIG = "application/vnd.oci.image.config.v1+json";
  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * A layer of a fixture.
   *
   * @param from the fixture that holds its blob
   */
  public record Layer(Fixtures from, Descriptor descriptor, Digest diffId) {}

  public ComposedImage {
    layers = List.copyOf(layers);
  }

  /** The layers of an ordinary image. */
  public static ComposedImage of(Fixtures from, ImageDocument.Manifest manifest) {
    List<Layer> layers = new ArrayList<>();
    List<Digest> diffIds = from.diffIds(manifest);
    for (int at = 0; at < diffIds.size(); at++) {
      layers.add(new Layer(from, manifest.layers().get(at), diffIds.get(at)));
    }
    return new ComposedImage(layers);
  }

  /** This image with the layers of another one on top. */
  public ComposedImage with(ComposedImage above) {
    List<Layer> all = new ArrayList<>(layers);
    all.addAll(above.layers);
    return new ComposedImage(all);
  }

  /** The lowest layers of this image. */
  public ComposedImage lowest(int count) {
    return new ComposedImage(layers.subList(0, count));
  }

  /** The diff IDs, lowest first. */
  public List<Digest> diffIds() {
    return layers.stream().map(Layer::diffId).toList();
  }

  /** Writes it as an OCI image layout of one tag. */
  public void write(Path layout, String tag) throws IOException {
    write(layout, tag, Map.of());
  }

  /**
   * Writes it as an OCI image layout of one tag.
   *
   * @param annotations of the manifest
   */
  public void write(Path layout, String tag, Map<String, String> annotations) throws IOException {
    ObjectNode config = JSON.createObjectNode().put("architecture", "amd64").put("os", "linux");
    config.putObject("config");
    ObjectNode rootfs = config.putObject("rootfs").put("type", "layers");
    diffIds().forEach(diffId -> rootfs.withArray("diff_ids").add(diffId.toString()));
    Path blobs = Files.createDirectories(layout.resolve("blobs/sha256"));
    ObjectNode manifest = JSON.createObjectNode().put("schemaVersion", 2);
    manifest.put("mediaType", MANIFEST);
    manifest.set("config", store(blobs, CONFIG, config));
    for (Layer layer : layers) {
      Descriptor descriptor = layer.descriptor;
      Files.copy(
          layer.from.blob(descriptor.digest()),
          blobs.resolve(descriptor.digest().hex()),
          StandardCopyOption.REPLACE_EXISTING);
      ObjectNode listed = node(descriptor.mediaType(), descriptor.digest(), descriptor.sizeBytes());
      if (!descriptor.annotations().isEmpty()) {
        descriptor.annotations().forEach(listed.putObject("annotations")::put);
      }
      manifest.withArray("layers").add(listed);
    }
    if (!annotations.isEmpty()) {
      annotations.forEach(manifest.putObject("annotations")::put);
    }
    ObjectNode named = store(blobs, MANIFEST, manifest);
    named.putObject("annotations").put("org.opencontainers.image.ref.name", tag);
    ObjectNode index = JSON.createObjectNode().put("schemaVersion", 2);
    index.withArray("manifests").add(named);
    JSON.writeValue(layout.resolve("index.json").toFile(), index);
    Files.writeString(layout.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
  }

  private static ObjectNode store(Path blobs, String mediaType, ObjectNode document)
      throws IOException {
    byte[] content = JSON.writeValueAsBytes(document);
    Digest digest = Digest.sha256(content);
    Files.write(blobs.resolve(digest.hex()), content);
    return node(mediaType, digest, content.length);
  }

  private static ObjectNode node(String mediaType, Digest digest, long sizeBytes) {
    return JSON.createObjectNode()
        .put("mediaType", mediaType)
        .put("digest", digest.toString())
        .put("size", sizeBytes);
  }
}

package sluice.testing;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.Platform;

/** Writes an OCI image layout with one image, made of layers that are plain tar files. */
public final class LayoutWriter {

  private static final String LAYER = "application/vnd.oci.image.layer.v1.tar";
  private static final String CONFIG = "application/vnd.oci.image.config.v1+json";
  private static final String MANIFEST = "application/vnd.oci.image.manifest.v1+json";
  private static final String INDEX = "application/vnd.oci.image.index.v1+json";

  private final ObjectMapper json = new ObjectMapper();
  private final Path directory;

  private LayoutWriter(Path directory) {
    this.directory = directory;
  }

  /** Begins a layout in {@code directory}, which is made if it is not there. */
  public static LayoutWriter in(Path directory) throws IOException {
    Files.createDirectories(directory.resolve("blobs/sha256"));
    Files.writeString(directory.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
    return new LayoutWriter(directory);
  }

  /**
   * Takes a layer into the layout; its diff ID is its digest.
   *
   * @param tar a tar file on the same file system, which is moved
   */
  public Descriptor layer(Path tar) throws IOException {
    Digest digest = Digest.sha256(Files.readAllBytes(tar));
    long sizeBytes = Files.size(tar);
    Files.move(tar, blob(digest));
    return new Descriptor(LAYER, digest, sizeBytes);
  }

  /**
   * Writes the image of this host's platform and names it.
   *
   * @param layers lowest first; those that are not in this layout must be where it is pushed to
   * @return the manifest's descriptor
   */
  public Descriptor image(String tag, List<Descriptor> layers) throws IOException {
    ObjectNode config = json.createObjectNode();
    config.put("architecture", Platform.host().architecture()).put("os", Platform.host().os());
    config.putObject("config");
    ObjectNode rootfs = config.putObject("rootfs").put("type", "layers");
    ArrayNode diffIds = rootfs.putArray("diff_ids");
    layers.forEach(layer -> diffIds.add(layer.digest().toString()));

    ObjectNode manifest = json.createObjectNode().put("schemaVersion", 2);
    manifest.put("mediaType", MANIFEST);
    manifest.set("config", json(write(CONFIG, config)));
    ArrayNode list = manifest.putArray("layers");
    layers.forEach(layer -> list.add(json(layer)));
    Descriptor written = write(MANIFEST, manifest);

    ObjectNode index = json.createObjectNode().put("schemaVersion", 2);
    index.put("mediaType", INDEX);
    ObjectNode named = json(written);
    named.putObject("annotations").put("org.opencontainers.image.ref.name", tag);
    index.putArray("manifests").add(named);
    Files.write(directory.resolve("index.json"), json.writeValueAsBytes(index));
    return written;
  }

  private Descriptor write(String mediaType, ObjectNode document) throws IOException {
    byte[] bytes = json.writeValueAsBytes(document);
    Digest digest = Digest.sha256(bytes);
    Files.write(blob(digest), bytes);
    return new Descriptor(mediaType, digest, bytes.length);
  }

  private ObjectNode json(Descriptor descriptor) {
    return json.createObjectNode()
        .put("mediaType", descriptor.mediaType())
        .put("digest", descriptor.digest().toString())
        .put("size", descriptor.sizeBytes());
  }

  private Path blob(Digest digest) {
    return directory.resolve("blobs/sha256").resolve(digest.hex());
  }
}

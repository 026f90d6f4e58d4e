package sluice.command;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.testing.Fixtures;

/** An index of an ordinary image and a RAFS variant, which may be that of another one. */
record VariantImage(Fixtures ordinary, Fixtures variant) {

  private static final String INDEX = "application/vnd.oci.image.index.v1+json";

  /** The tag of fixtures that has the variant. */
  static final String RAFS = "nydus-zstd";

  private static final String FEATURE = "nydus.remoteimage.v1";
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Writes it as an OCI image layout of one tag. */
  void write(Path layout, String tag) throws IOException {
    Path blobs = Files.createDirectories(layout.resolve("blobs/sha256"));
    for (Fixtures from : List.of(ordinary, variant)) {
      try (Stream<Path> all = Files.list(from.directory().resolve("blobs/sha256"))) {
        for (Path blob : all.toList()) {
          Files.copy(blob, blobs.resolve(blob.getFileName()), StandardCopyOption.REPLACE_EXISTING);
        }
      }
    }
    ObjectNode index = JSON.createObjectNode().put("schemaVersion", 2).put("mediaType", INDEX);
    ArrayNode manifests = index.putArray("manifests");
    platform(manifests.addObject(), ordinary.descriptor(Fixtures.SOURCE));
    platform(manifests.addObject(), variant.descriptor(RAFS)).putArray("os.features").add(FEATURE);
    byte[] bytes = JSON.writeValueAsBytes(index);
    Digest digest = Digest.sha256(bytes);
    Files.write(blobs.resolve(digest.hex()), bytes);
    ObjectNode tagged = JSON.createObjectNode().put("schemaVersion", 2);
    tagged
        .putArray("manifests")
        .addObject()
        .put("mediaType", INDEX)
        .put("digest", digest.toString())
        .put("size", bytes.length)
        .putObject("annotations")
        .put("org.opencontainers.image.ref.name", tag);
    Files.write(layout.resolve("index.json"), JSON.writeValueAsBytes(tagged));
    Files.writeString(layout.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
  }

  private static ObjectNode platform(ObjectNode to, Descriptor manifest) {
    return to.put("mediaType", manifest.mediaType())
        .put("digest", manifest.digest().toString())
        .put("size", manifest.sizeBytes())
        .putObject("platform")
        .put("architecture", "amd64")
        .put("os", "linux");
  }
}

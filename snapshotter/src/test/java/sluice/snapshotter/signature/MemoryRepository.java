package sluice.snapshotter.signature;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import sluice.core.Bytes;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.FetchException;
import sluice.core.ImageConfig;
import sluice.core.ImageDocument;
import sluice.core.ImagePublisher;
import sluice.core.ImageReference;
import sluice.core.ImageRegistry;
import sluice.core.Repository;

/** A repository in memory, for manifests with tags. */
public final class MemoryRepository implements ImageRegistry, ImagePublisher {

  public final Repository name = new Repository.InRegistry("registry.example", "a/image");
  public final List<String> asked = new ArrayList<>();
  final Map<Digest, Bytes> blobs = new HashMap<>();
  final Map<String, Bytes> tags = new HashMap<>();
  @Nullable IOException failure;

  @Override
  public Content resolve(ImageReference reference) throws IOException {
    asked.add(reference.selector());
    fail();
    return content(tags.get(reference.selector()), "manifest", reference.selector());
  }

  @Override
  public Content read(Repository repository, Descriptor descriptor) throws IOException {
    fail();
    return content(
        blobs.get(descriptor.digest()), descriptor.mediaType(), descriptor.digest().toString());
  }

  private void fail() throws IOException {
    IOException thrown = failure;
    if (thrown != null) {
      throw thrown;
    }
  }

  private static Content content(@Nullable Bytes bytes, String mediaType, String what)
      throws FetchException {
    if (bytes == null) {
      throw new FetchException(what + ": 404", FetchException.Reason.NOT_FOUND, 404, null);
    }
    return new Content(
        new Descriptor(mediaType, Digest.sha256(bytes.toArray()), bytes.length()), bytes);
  }

  @Override
  public List<Descriptor> referrers(Repository in, Digest subject, Optional<String> type) {
    return List.of();
  }

  @Override
  public ImageDocument document(Content content) throws IOException {
    JsonNode json;
    try {
      json = new JsonMapper().readTree(content.bytes().toArray());
    } catch (IOException e) {
      throw new CorruptException("no JSON", "manifest", -1);
    }
    if (json.has("manifests")) {
      return new ImageDocument.Index(List.of(), Map.of());
    }
    List<Descriptor> layers = new ArrayList<>();
    json.required("layers").forEach(layer -> layers.add(descriptor(layer)));
    return new ImageDocument.Manifest(
        descriptor(json.required("config")), layers, Map.of(), null, null);
  }

  private static Descriptor descriptor(JsonNode json) {
    Map<String, String> annotations = new HashMap<>();
    json.path("annotations")
        .properties()
        .forEach(e -> annotations.put(e.getKey(), e.getValue().asText()));
    return new Descriptor(
        json.required("mediaType").asText(),
        Digest.parse(json.required("digest").asText()),
        json.required("size").asLong(),
        annotations,
        List.of(),
        null,
        null);
  }

  @Override
  public ImageConfig config(Content content) {
    throw new AssertionError("nobody asks for a configuration");
  }

  @Override
  public void putBlob(Repository repository, Descriptor descriptor, Path content)
      throws IOException {
    Bytes bytes = Bytes.of(Files.readAllBytes(content));
    if (!Digest.sha256(bytes.toArray()).equals(descriptor.digest())) {
      throw new AssertionError("another digest than " + descriptor);
    }
    blobs.put(descriptor.digest(), bytes);
  }

  @Override
  public void putManifest(ImageReference target, Content manifest) {
    tags.put(target.selector(), manifest.bytes());
  }

  @Override
  public boolean mountBlob(Repository to, Repository from, Descriptor descriptor) {
    return false;
  }
}

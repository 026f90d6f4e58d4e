package sluice.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import sluice.core.Bytes;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.ImageDocument;
import sluice.core.Repository;

/**
 * The images of {@code testing/fixtures}, which its README describes. Each is an OCI image layout
 * with a tag for each form of the image.
 */
public final class Fixtures {

  /** The tag of the image as it was before any tool converted it. */
  public static final String SOURCE = "src";

  /** Every image that has a listing and a {@link #SOURCE} tag. */
  public static final List<String> IMAGES =
      List.of(
          "small",
          "reader",
          "pause",
          "deep",
          "second",
          "implicit",
          "rawnames",
          "empty",
          "one",
          "tarforms");

  private static final String TAG_ANNOTATION = "org.opencontainers.image.ref.name";
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path directory;
  private final Map<String, Descriptor> tags;

  private Fixtures(Path directory, Map<String, Descriptor> tags) {
    this.directory = directory;
    this.tags = tags;
  }

  /** The directory of all fixtures in this checkout, which the build names in a property. */
  public static Path root() {
    String project = System.getProperty("sluice.project");
    if (project == null) {
      throw new IllegalStateException(
          "system property sluice.project is not set: name the directory of the checkout");
    }
    return Path.of(project, "testing", "fixtures");
  }

  /** Opens the layout of one image. */
  public static Fixtures of(String image) {
    Path directory = root().resolve(image);
    Map<String, Descriptor> tags = new LinkedHashMap<>();
    for (JsonNode manifest : read(directory.resolve("index.json")).required("manifests")) {
      JsonNode tag = manifest.path("annotations").path(TAG_ANNOTATION);
      if (tag.isTextual()) {
        tags.put(tag.textValue(), descriptor(manifest));
      }
    }
    return new Fixtures(directory, tags);
  }

  /** The layout's directory. */
  public Path directory() {
    return directory;
  }

  /** The layout as a place to fetch from. */
  public Repository repository() {
    return new Repository.InLayout(directory);
  }

  /** The tags with the manifests, or indexes, that they name. */
  public Map<String, Descriptor> tags() {
    return Map.copyOf(tags);
  }

  /** The manifest or index of {@code tag}, as it is stored. */
  public Bytes manifest(String tag) throws IOException {
    return Bytes.of(Files.readAllBytes(blob(descriptor(tag).digest())));
  }

  /** The manifest of {@code tag}, which must be one. */
  public ImageDocument.Manifest document(String tag) {
    return document(descriptor(tag).digest());
  }

  /** The manifests that the index of {@code tag} lists, in its order. */
  public List<ImageDocument.Manifest> listed(String tag) {
    return listedDescriptors(tag).stream().map(manifest -> document(manifest.digest())).toList();
  }

  /** What the index of {@code tag} says of the manifests that it lists, in its order. */
  public List<Descriptor> listedDescriptors(String tag) {
    List<Descriptor> listed = new ArrayList<>();
    read(blob(descriptor(tag).digest()))
        .required("manifests")
        .forEach(manifest -> listed.add(descriptor(manifest)));
    return listed;
  }

  /** The manifest with that digest. */
  public ImageDocument.Manifest document(Digest digest) {
    JsonNode manifest = read(blob(digest));
    List<Descriptor> layers = new ArrayList<>();
    manifest.required("layers").forEach(layer -> layers.add(descriptor(layer)));
    return new ImageDocument.Manifest(
        descriptor(manifest.required("config")),
        layers,
        strings(manifest.path("annotations")),
        manifest.has("subject") ? descriptor(manifest.get("subject")) : null,
        manifest.path("artifactType").textValue());
  }

  /** The diff-ids of the image of {@code tag}, lowest first. */
  public List<Digest> diffIds(String tag) {
    return diffIds(document(tag));
  }

  /** The diff-ids of an image of this fixture, lowest first. */
  public List<Digest> diffIds(ImageDocument.Manifest manifest) {
    List<Digest> diffIds = new ArrayList<>();
    read(blob(manifest.config().digest()))
        .required("rootfs")
        .required("diff_ids")
        .forEach(diffId -> diffIds.add(Digest.parse(diffId.textValue())));
    return diffIds;
  }

  /** The file of a blob. */
  public Path blob(Digest digest) {
    return directory.resolve("blobs").resolve(digest.algorithm().label()).resolve(digest.hex());
  }

  /** What every tag must show once it is mounted. */
  public ExpectedListing expected() throws IOException {
    return ExpectedListing.read(root().resolve(directory.getFileName() + ".expected.jsonl"));
  }

  @Override
  public String toString() {
    return "fixture " + directory.getFileName();
  }

  /** The manifest or index that {@code tag} names. */
  public Descriptor descriptor(String tag) {
    Descriptor descriptor = tags.get(tag);
    if (descriptor == null) {
      throw new IllegalArgumentException(this + " has no tag " + tag + ", only " + tags.keySet());
    }
    return descriptor;
  }

  private static Descriptor descriptor(JsonNode node) {
    return new Descriptor(
        node.required("mediaType").textValue(),
        Digest.parse(node.required("digest").textValue()),
        node.required("size").longValue(),
        strings(node.path("annotations")),
        List.of(),
        null,
        node.path("artifactType").textValue());
  }

  private static Map<String, String> strings(JsonNode node) {
    Map<String, String> strings = new HashMap<>();
    node.properties().forEach(entry -> strings.put(entry.getKey(), entry.getValue().textValue()));
    return strings;
  }

  private static JsonNode read(Path file) {
    try {
      return JSON.readTree(file.toFile());
    } catch (IOException e) {
      throw new UncheckedIOException("fixture " + file, e);
    }
  }
}

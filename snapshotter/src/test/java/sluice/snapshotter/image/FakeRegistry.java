package sluice.snapshotter.image;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import sluice.core.Bytes;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.FetchException;
import sluice.core.ImageConfig;
import sluice.core.ImageDocument;
import sluice.core.ImageReference;
import sluice.core.ImageRegistry;
import sluice.core.Platform;
import sluice.core.Repository;

/** A registry in memory, whose documents need no JSON. */
final class FakeRegistry implements ImageRegistry {

  static final String INDEX = "application/vnd.oci.image.index.v1+json";
  static final String MANIFEST = "application/vnd.oci.image.manifest.v1+json";
  static final String CONFIG = "application/vnd.oci.image.config.v1+json";
  static final Platform AMD64 = new Platform("linux", "amd64");

  final Repository repository = new Repository.InRegistry("registry.example", "a/image");
  final List<String> asked = new ArrayList<>();

  private final Map<Digest, Content> contents = new HashMap<>();
  private final Map<Digest, ImageDocument> documents = new HashMap<>();
  private final Map<Digest, ImageConfig> configs = new HashMap<>();
  private final Map<String, Digest> tags = new HashMap<>();
  private @Nullable CountDownLatch hanging;

  /** Makes every question wait until the result is counted down. */
  CountDownLatch hang() {
    CountDownLatch latch = new CountDownLatch(1);
    hanging = latch;
    return latch;
  }

  /** Somebody deletes a document. */
  void delete(Descriptor document) {
    contents.remove(document.digest());
  }

  Descriptor index(Descriptor... manifests) {
    ImageDocument.Index index = new ImageDocument.Index(List.of(manifests), Map.of());
    Descriptor descriptor = put(INDEX, index.toString());
    documents.put(descriptor.digest(), index);
    return descriptor;
  }

  /** A manifest of layers with these contents; a layer's diff ID is the hash of its content. */
  Descriptor manifest(Platform platform, Descriptor... layers) {
    List<Digest> diffIds = new ArrayList<>();
    for (Descriptor layer : layers) {
      diffIds.add(diffId(layer));
    }
    return manifest(new ImageConfig(platform, diffIds), layers);
  }

  Descriptor manifest(ImageConfig imageConfig, Descriptor... layers) {
    Descriptor config = put(CONFIG, imageConfig.toString());
    configs.put(config.digest(), imageConfig);
    ImageDocument.Manifest manifest =
        new ImageDocument.Manifest(config, List.of(layers), Map.of(), null, null);
    Descriptor descriptor = put(MANIFEST, manifest.toString());
    documents.put(descriptor.digest(), manifest);
    return descriptor;
  }

  static Descriptor layer(String mediaType, String content) {
    Bytes bytes = Bytes.utf8(content);
    return new Descriptor(mediaType, Digest.sha256(bytes.toArray()), bytes.length());
  }

  static Digest diffId(Descriptor layer) {
    return Digest.sha256(("diff of " + layer.digest()).getBytes(StandardCharsets.UTF_8));
  }

  static Descriptor on(Platform platform, Descriptor descriptor) {
    return marked(descriptor, platform, null);
  }

  static Descriptor marked(
      Descriptor descriptor, @Nullable Platform platform, @Nullable String artifactType) {
    return new Descriptor(
        descriptor.mediaType(),
        descriptor.digest(),
        descriptor.sizeBytes(),
        Map.of(),
        List.of(),
        platform,
        artifactType,
        null);
  }

  ImageReference tag(String tag, Descriptor descriptor) {
    tags.put(tag, descriptor.digest());
    return new ImageReference(repository, tag, null);
  }

  Content content(Descriptor descriptor) {
    return contents.getOrDefault(descriptor.digest(), new Content(descriptor, Bytes.EMPTY));
  }

  @Override
  public Content resolve(ImageReference reference) throws FetchException, InterruptedException {
    asked(reference.selector());
    Digest digest = reference.digest();
    return find(digest != null ? digest : tags.get(reference.selector()), reference.toString());
  }

  @Override
  public Content read(Repository from, Descriptor descriptor)
      throws FetchException, InterruptedException {
    asked(descriptor.digest().toString());
    return find(descriptor.digest(), descriptor.digest().toString());
  }

  @Override
  public List<Descriptor> referrers(Repository from, Digest subject, Optional<String> type) {
    return List.of();
  }

  @Override
  public ImageDocument document(Content content) {
    ImageDocument document = documents.get(content.descriptor().digest());
    if (document == null) {
      throw new AssertionError("no document: " + content.descriptor());
    }
    return document;
  }

  @Override
  public ImageConfig config(Content content) {
    ImageConfig config = configs.get(content.descriptor().digest());
    if (config == null) {
      throw new AssertionError("no configuration: " + content.descriptor());
    }
    return config;
  }

  private void asked(String what) throws InterruptedException {
    CountDownLatch latch = hanging;
    if (latch != null) {
      latch.await();
    }
    synchronized (asked) {
      asked.add(what);
    }
  }

  private Content find(@Nullable Digest digest, String what) throws FetchException {
    Content content = digest == null ? null : contents.get(digest);
    if (content == null) {
      throw new FetchException(what + ": 404", FetchException.Reason.NOT_FOUND, 404, null);
    }
    return content;
  }

  private Descriptor put(String mediaType, String text) {
    Bytes bytes = Bytes.utf8(text);
    Descriptor descriptor =
        new Descriptor(mediaType, Digest.sha256(bytes.toArray()), bytes.length());
    contents.put(descriptor.digest(), new Content(descriptor, bytes));
    return descriptor;
  }
}

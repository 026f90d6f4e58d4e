package sluice.snapshotter.pull;

import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.ImageDocument;
import sluice.core.ImageRegistry;
import sluice.snapshotter.containerd.ContentStore;
import sluice.snapshotter.image.ImageManifest;
import sluice.snapshotter.image.ResolvedImage;

/**
 * Indexes, manifest and configuration of an image in containerd's content store. Each has labels
 * that lead containerd's garbage collection on: to what it lists (containerd, images,
 * ChildGCLabels), and from the configuration to the top snapshot. Labels that name content which is
 * not there, as those of lazy layers do, are harmless.
 */
final class Documents {

  private static final String CONTENT = "containerd.io/gc.ref.content.";
  private static final String SNAPSHOT = "containerd.io/gc.ref.snapshot.";

  private final ImageRegistry registry;
  private final ContentStore store;

  Documents(ImageRegistry registry, ContentStore store) {
    this.registry = registry;
    this.store = store;
  }

  void write(ResolvedImage image) throws IOException, InterruptedException {
    ImageManifest manifest = image.image();
    write(manifest.configContent(), Map.of());
    write(manifest.content(), children(manifest.manifest()));
    for (ImageRegistry.Content index : image.indexes().reversed()) {
      write(index, children(registry.document(index)));
    }
  }

  /** Keeps the snapshots of the image for as long as the image is there. */
  void keepSnapshots(ResolvedImage image, String snapshotter)
      throws IOException, InterruptedException {
    Optional<Digest> top = image.image().chainIds().reversed().stream().findFirst();
    if (top.isPresent()) {
      store.label(
          image.image().configContent().descriptor().digest(),
          Map.of(SNAPSHOT + snapshotter, top.get().toString()));
    }
  }

  private void write(ImageRegistry.Content content, Map<String, String> labels)
      throws IOException, InterruptedException {
    store.write(content.descriptor().digest(), content.bytes(), labels);
  }

  private static Map<String, String> children(ImageDocument document) {
    Map<String, String> labels = new HashMap<>();
    switch (document) {
      case ImageDocument.Index index -> number(labels, CONTENT + "m.", index.manifests());
      case ImageDocument.Manifest manifest -> {
        labels.put(CONTENT + "config", manifest.config().digest().toString());
        number(labels, CONTENT + "l.", manifest.layers());
      }
    }
    return labels;
  }

  private static void number(
      Map<String, String> labels, String prefix, List<Descriptor> descriptors) {
    for (int i = 0; i < descriptors.size(); i++) {
      labels.put(prefix + i, descriptors.get(i).digest().toString());
    }
  }
}

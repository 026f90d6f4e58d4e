package sluice.formats.estargz;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.FetchException;
import sluice.core.ImageDocument;
import sluice.core.ImageReference;
import sluice.core.ImageRegistry;
import sluice.core.LayerFormat.Image;

/**
 * The TOCs that lie in an image of their own: one layer for each layer of the image that they
 * describe, under its tag with {@code -esgztoc} behind (stargz-snapshotter, {@code
 * docs/smaller-estargz.md}). Asks for that image once for all layers. Safe for use by many threads.
 */
final class ExternalTocs {

  /** On a TOC's descriptor: digest of the layer that it describes. */
  static final String LAYER_ANNOTATION = "containerd.io/snapshot/stargz/layer.digest";

  private static final String TAG_SUFFIX = "-esgztoc";

  /** Images that are being prepared at a time; whoever is forgotten is asked for again. */
  private static final int MAX_IMAGES = 16;

  /** Platforms of one index; images have about ten. */
  private static final int MAX_MANIFESTS = 32;

  private final ImageRegistry documents;

  /**
   * Where a TOC lies.
   *
   * @param document digest of what the image's tag led to: a signature of that holds for the TOC
   */
  record External(Descriptor toc, Digest document) {}

  /** Guards the map; not held while a registry is asked. */
  private final ReentrantLock lock = new ReentrantLock();

  private final Map<ImageReference, FutureTask<Map<Digest, External>>> images =
      new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(
            Map.Entry<ImageReference, FutureTask<Map<Digest, External>>> eldest) {
          return size() > MAX_IMAGES;
        }
      };

  ExternalTocs(ImageRegistry documents) {
    this.documents = documents;
  }

  /**
   * The name of the image that holds the TOCs of an image.
   *
   * @throws CorruptException if the image was not asked for by a tag, so that nobody can tell
   */
  static ImageReference reference(Image image) throws CorruptException {
    return name(image)
        .orElseThrow(() ->
            new CorruptException(
                "footer: the TOC is in an image whose tag is this one's and %s, but there is no tag"
                    .formatted(TAG_SUFFIX),
                "image " + image.reference(),
                -1));
  }

  /** The same, or nothing if the image was not asked for by a tag. */
  static Optional<ImageReference> name(Image image) {
    return Optional.ofNullable(image.reference().tag())
        .map(tag -> new ImageReference(image.reference().repository(), tag + TAG_SUFFIX, null));
  }

  /** The TOC of a layer, if the image that holds it was read already. */
  Optional<External> known(Image image, Digest layer) {
    Optional<ImageReference> reference = name(image);
    lock.lock();
    try {
      return reference
          .map(images::get)
          .filter(task -> task.state() == FutureTask.State.SUCCESS)
          .map(task -> task.resultNow().get(layer));
    } finally {
      lock.unlock();
    }
  }

  /**
   * The TOC of a layer. Where an answer of before has none, the image is asked for once anew: its
   * tag may have been pushed again, with the layer.
   *
   * @param again whether to ask for the image anew
   * @throws FetchException if there is no such image, or it has no TOC of the layer
   */
  External find(Image image, Digest layer, boolean again) throws IOException, InterruptedException {
    ImageReference reference = reference(image);
    FutureTask<Map<Digest, External>> mine = new FutureTask<>(() -> fetch(reference));
    FutureTask<Map<Digest, External>> first = begin(reference, mine, other -> again);
    External toc = answer(reference, first, mine).get(layer);
    if (toc == null && !first.equals(mine)) {
      toc = answer(reference, begin(reference, mine, first::equals), mine).get(layer);
    }
    if (toc == null) {
      throw new FetchException(
          "%s has no TOC of layer %s".formatted(reference, layer),
          FetchException.Reason.NOT_FOUND,
          0,
          null);
    }
    return toc;
  }

  /**
   * What answers for an image from now on.
   *
   * @param stale says of what answered so far whether it is to be replaced
   */
  private FutureTask<Map<Digest, External>> begin(
      ImageReference reference,
      FutureTask<Map<Digest, External>> mine,
      Predicate<FutureTask<Map<Digest, External>>> stale) {
    lock.lock();
    try {
      FutureTask<Map<Digest, External>> other = images.get(reference);
      if (other != null && !stale.test(other)) {
        return other;
      }
      images.put(reference, mine);
      return mine;
    } finally {
      lock.unlock();
    }
  }

  private Map<Digest, External> answer(
      ImageReference reference,
      FutureTask<Map<Digest, External>> task,
      FutureTask<Map<Digest, External>> mine)
      throws IOException, InterruptedException {
    // Does nothing if another thread runs it, or has.
    task.run();
    try {
      return task.get();
    } catch (ExecutionException e) {
      forget(reference, task);
      // What stopped another thread need not stop this one.
      Throwable cause = task.equals(mine) ? e.getCause() : null;
      return switch (cause) {
        case null -> fetch(reference);
        case IOException failed -> throw failed;
        case InterruptedException interrupted -> throw interrupted;
        case RuntimeException broken -> throw broken;
        default -> throw new AssertionError("fetching throws nothing else", cause);
      };
    }
  }

  private void forget(ImageReference reference, FutureTask<Map<Digest, External>> task) {
    lock.lock();
    try {
      images.remove(reference, task);
    } finally {
      lock.unlock();
    }
  }

  private Map<Digest, External> fetch(ImageReference reference)
      throws IOException, InterruptedException {
    Map<Digest, External> tocs = new HashMap<>();
    ImageRegistry.Content document = documents.resolve(reference);
    for (ImageDocument.Manifest manifest : manifests(reference, document)) {
      for (Descriptor toc : manifest.layers()) {
        String layer = toc.annotations().getOrDefault(LAYER_ANNOTATION, "");
        try {
          tocs.put(Digest.parse(layer), new External(toc, document.descriptor().digest()));
        } catch (IllegalArgumentException e) {
          throw new CorruptException(
              "eStargz: annotation %s of external TOC %s: %s"
                  .formatted(LAYER_ANNOTATION, toc.digest(), e.getMessage()),
              "image " + reference,
              -1);
        }
      }
    }
    return Map.copyOf(tocs);
  }

  private List<ImageDocument.Manifest> manifests(
      ImageReference reference, ImageRegistry.Content document)
      throws IOException, InterruptedException {
    List<ImageDocument.Manifest> manifests = new ArrayList<>();
    switch (documents.document(document)) {
      case ImageDocument.Manifest manifest -> manifests.add(manifest);
      case ImageDocument.Index index -> {
        for (Descriptor each : index.manifests().stream().limit(MAX_MANIFESTS).toList()) {
          if (documents.document(documents.read(reference.repository(), each))
              instanceof ImageDocument.Manifest manifest) {
            manifests.add(manifest);
          }
        }
      }
    }
    return manifests;
  }
}

package sluice.formats.soci;

import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.ImageDocument;
import sluice.core.ImageReference;
import sluice.core.ImageRegistry;
import sluice.core.LayerFormat;
import sluice.core.Repository;
import sluice.formats.soci.SociIndex.Version;

/**
 * Finds the SOCI indexes of images. All layers of an image ask for the same, so what was answered
 * is kept for a while, and what failed for a shorter one. Safe for use by many threads.
 */
final class SociIndexes {

  /**
   * How long a layer may wait for what refers to its image. A Prepare has 10 s for manifest and
   * index ({@code pull.index_deadline_seconds}), and a referrer is a thing that may be there or
   * not: a registry that is asked for them and hangs must leave the next format, or a stream, most
   * of that time. Registries that are well answer in a tenth of it, tokens and redirects included.
   */
  static final Duration REFERRERS = Duration.ofSeconds(3);

  private final ImageRegistry registry;
  private final Answers<Subject, List<Descriptor>> referrers;
  private final Answers<Subject, ImageDocument> documents;

  /** A manifest in a repository. */
  private record Subject(String what, Repository repository, Digest digest) {
    @Override
    public String toString() {
      return "%s %s@%s".formatted(what, repository, digest);
    }
  }

  SociIndexes(ImageRegistry registry, InstantSource clock) {
    this.registry = registry;
    this.referrers = new Answers<>(clock);
    this.documents = new Answers<>(clock);
  }

  /** The indexes of version 1 that refer to the image, in the registry's order. */
  List<Descriptor> referrers(LayerFormat.Image image) throws IOException, InterruptedException {
    Subject subject = new Subject("referrers of", image.reference().repository(), image.digest());
    return referrers.get(
        subject,
        REFERRERS,
        () ->
            registry.referrers(subject.repository, subject.digest, Optional.of(Version.V1.type())));
  }

  /**
   * The index with that digest.
   *
   * @param layer whom it is asked for; errors name it
   * @throws CorruptException if it is no manifest of an index of that version
   */
  SociIndex read(LayerFormat.Layer layer, Digest digest, Version version)
      throws IOException, InterruptedException {
    Subject subject = new Subject("SOCI index", layer.image().reference().repository(), digest);
    // One that the image names is as good as part of its manifest: no sooner than that given up.
    Duration patience = version == Version.V2 ? Answers.KEPT : REFERRERS;
    String resource = "SOCI index %s for layer %s".formatted(digest, layer.descriptor().digest());
    return switch (documents.get(subject, patience, () -> fetch(subject))) {
      case ImageDocument.Manifest manifest -> {
        SociIndex index = new SociIndex(digest, manifest);
        if (!index.is(version)) {
          throw new CorruptException(
              "its configuration is of type %s, expected %s"
                  .formatted(manifest.config().mediaType(), version.type()),
              resource,
              -1);
        }
        yield index;
      }
      case ImageDocument.Index _ ->
          throw new CorruptException("an index of manifests, expected a manifest", resource, -1);
    };
  }

  private ImageDocument fetch(Subject subject) throws IOException, InterruptedException {
    return registry.document(
        registry.resolve(new ImageReference(subject.repository, null, subject.digest)));
  }
}

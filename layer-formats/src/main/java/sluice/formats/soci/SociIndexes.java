package sluice.formats.soci;

import java.io.IOException;
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
 * is kept for a while. Safe for use by many threads.
 */
final class SociIndexes {

  private final ImageRegistry registry;
  private final Recent<Subject, List<Descriptor>> referrers;
  private final Recent<Subject, SociIndex> indexes;

  /** A manifest in a repository. */
  private record Subject(Repository repository, Digest digest) {}

  SociIndexes(ImageRegistry registry, InstantSource clock) {
    this.registry = registry;
    this.referrers = new Recent<>(clock);
    this.indexes = new Recent<>(clock);
  }

  /** The indexes of version 1 that refer to the image, in the registry's order. */
  List<Descriptor> referrers(LayerFormat.Image image) throws IOException, InterruptedException {
    Subject subject = new Subject(image.reference().repository(), image.digest());
    Optional<List<Descriptor>> known = referrers.find(subject);
    if (known.isPresent()) {
      return known.get();
    }
    List<Descriptor> found =
        registry.referrers(subject.repository(), subject.digest(), Optional.of(Version.V1.type()));
    referrers.keep(subject, found);
    return found;
  }

  /**
   * The index with that digest.
   *
   * @throws CorruptException if it is no manifest of an index of that version
   */
  SociIndex read(LayerFormat.Image image, Digest digest, Version version)
      throws IOException, InterruptedException {
    Subject subject = new Subject(image.reference().repository(), digest);
    Optional<SociIndex> known = indexes.find(subject);
    SociIndex index = known.isPresent() ? known.get() : fetch(subject);
    if (!index.is(version)) {
      throw new CorruptException(
          "its configuration is of type %s, expected %s"
              .formatted(index.manifest().config().mediaType(), version.type()),
          index.toString(),
          -1);
    }
    indexes.keep(subject, index);
    return index;
  }

  private SociIndex fetch(Subject subject) throws IOException, InterruptedException {
    ImageReference reference = new ImageReference(subject.repository(), null, subject.digest());
    return switch (registry.document(registry.resolve(reference))) {
      case ImageDocument.Manifest manifest -> new SociIndex(subject.digest(), manifest);
      case ImageDocument.Index _ ->
          throw new CorruptException(
              "an index of manifests, expected a manifest", "SOCI index " + subject.digest(), -1);
    };
  }
}

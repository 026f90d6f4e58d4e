package sluice.registry;

import java.util.List;
import java.util.Optional;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.ImageDocument.Manifest;

/** Rules for lists of referrers (OCI distribution specification, "Listing Referrers"). */
final class Referrer {

  private Referrer() {}

  /** The tag under which registries without the referrers API keep the list for a subject. */
  static String fallbackTag(Digest subject) {
    return subject.algorithm().label() + '-' + subject.hex();
  }

  /** How a list of referrers describes {@code manifest}: with its annotations and its type. */
  static Descriptor describe(Descriptor descriptor, Manifest manifest) {
    String artifactType =
        Optional.ofNullable(manifest.artifactType())
            .filter(type -> !type.isEmpty())
            .orElse(manifest.config().mediaType());
    return new Descriptor(
        descriptor.mediaType(),
        descriptor.digest(),
        descriptor.sizeBytes(),
        manifest.annotations(),
        List.of(),
        null,
        artifactType);
  }

  static List<Descriptor> filter(List<Descriptor> referrers, Optional<String> artifactType) {
    return artifactType.isEmpty()
        ? List.copyOf(referrers)
        : referrers.stream().filter(r -> artifactType.get().equals(r.artifactType())).toList();
  }
}

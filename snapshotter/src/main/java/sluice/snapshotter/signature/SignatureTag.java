package sluice.snapshotter.signature;

import sluice.core.Digest;
import sluice.core.ImageReference;
import sluice.core.Repository;

/** Where cosign keeps the signatures of a manifest, and what it calls them. */
final class SignatureTag {

  /** Annotation of a layer: the signature of its content, in base64. */
  static final String SIGNATURE = "dev.cosignproject.cosign/signature";

  private SignatureTag() {}

  static ImageReference of(Repository repository, Digest manifest) {
    return new ImageReference(
        repository, "%s-%s.sig".formatted(manifest.algorithm().label(), manifest.hex()), null);
  }
}

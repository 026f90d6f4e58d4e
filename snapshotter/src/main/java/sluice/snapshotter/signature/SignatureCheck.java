package sluice.snapshotter.signature;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import sluice.core.Bytes;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.FetchException;
import sluice.core.ImageDocument;
import sluice.core.ImageReference;
import sluice.core.ImageRegistry;
import sluice.core.Repository;

/**
 * Looks in a repository for a signature of one manifest.
 *
 * @param keys by which it may be
 */
record SignatureCheck(
    ImageRegistry registry, Repository repository, Digest manifest, List<VerifyingKey> keys) {

  /** Whoever may push can push any number of them. */
  private static final int MAX_SIGNATURES = 64;

  /** Payloads have some 250 bytes; their {@code optional} part may hold anything. */
  private static final int MAX_PAYLOAD_BYTES = 64 << 10;

  /** Base64 of what RSA with 16384 bits gives, with room. */
  private static final int MAX_SIGNATURE_CHARS = 4096;

  /** Why the manifest counts as not signed; empty if one of the keys has signed it. */
  Optional<String> refusal() throws IOException, InterruptedException {
    ImageReference place = SignatureTag.of(repository, manifest);
    ImageDocument document;
    try {
      document = registry.document(registry.resolve(place));
    } catch (FetchException e) {
      if (e.reason() == FetchException.Reason.NOT_FOUND) {
        return Optional.of(
            "%s is not signed by %s: there is no %s".formatted(manifest, names(), place));
      }
      throw e;
    } catch (CorruptException e) {
      return Optional.of(unsigned(place, List.of(String.valueOf(e.getMessage()))));
    }
    return switch (document) {
      case ImageDocument.Index _ ->
          Optional.of(unsigned(place, List.of("an index of manifests, expected a manifest")));
      case ImageDocument.Manifest signatures -> refusal(place, signatures.layers());
    };
  }

  private Optional<String> refusal(ImageReference place, List<Descriptor> signatures)
      throws IOException, InterruptedException {
    List<String> found = new ArrayList<>();
    for (Descriptor signature : signatures) {
      if (found.size() == MAX_SIGNATURES) {
        found.add("%d more are not looked at".formatted(signatures.size() - MAX_SIGNATURES));
        break;
      }
      Optional<String> wrong = problem(signature);
      if (wrong.isEmpty()) {
        return wrong;
      }
      found.add("%s: %s".formatted(signature.digest(), wrong.get()));
    }
    return Optional.of(unsigned(place, found.isEmpty() ? List.of("no signatures") : found));
  }

  /** Why the layer is not the signature that is looked for; empty if it is. */
  private Optional<String> problem(Descriptor layer) throws IOException, InterruptedException {
    String base64 = layer.annotations().get(SignatureTag.SIGNATURE);
    if (!layer.mediaType().equals(SignedPayload.MEDIA_TYPE) || base64 == null) {
      return Optional.of("%s, no signature".formatted(layer.mediaType()));
    }
    if (layer.sizeBytes() > MAX_PAYLOAD_BYTES || base64.length() > MAX_SIGNATURE_CHARS) {
      return Optional.of(
          "a payload of %d bytes (at most %d) and a signature of %d characters (at most %d)"
              .formatted(
                  layer.sizeBytes(), MAX_PAYLOAD_BYTES, base64.length(), MAX_SIGNATURE_CHARS));
    }
    byte[] signature;
    try {
      signature = Base64.getDecoder().decode(base64);
    } catch (IllegalArgumentException e) {
      return Optional.of("a signature that is not base64: " + e.getMessage());
    }
    try {
      Bytes payload = registry.read(repository, layer).bytes();
      if (keys.stream().noneMatch(key -> key.hasSigned(payload, signature))) {
        return Optional.of("made by another key");
      }
      Digest signed = SignedPayload.read(payload, "payload").manifest();
      return signed.equals(manifest)
          ? Optional.empty()
          : Optional.of("the signature of another manifest, " + signed);
    } catch (CorruptException e) {
      return Optional.of(String.valueOf(e.getMessage()));
    } catch (FetchException e) {
      if (e.temporary()) {
        throw e;
      }
      return Optional.of(String.valueOf(e.getMessage()));
    }
  }

  private String unsigned(ImageReference place, List<String> found) {
    return "%s is not signed by %s: %s has %s"
        .formatted(manifest, names(), place, String.join("; ", found));
  }

  private String names() {
    return "key " + String.join(" or ", keys.stream().map(VerifyingKey::toString).toList());
  }
}

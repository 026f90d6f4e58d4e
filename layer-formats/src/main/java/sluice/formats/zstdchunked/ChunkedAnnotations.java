package sluice.formats.zstdchunked;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import sluice.core.Digest;

/**
 * What the annotations of a layer say of its TOC.
 *
 * @param encodedDigest digest of the TOC as it lies in the blob
 * @param tocDigest digest of the TOC as JSON; stargz writes it
 * @param position where it lies
 */
record ChunkedAnnotations(
    @Nullable Digest encodedDigest,
    @Nullable Digest tocDigest,
    @Nullable ManifestPosition position) {

  /** podman's of today, and those that podman had in 2022 and stargz has. */
  private static final List<String> PREFIXES =
      List.of("io.github.containers.zstd-chunked.", "io.containers.zstd-chunked.");

  private static final String CHECKSUM = "manifest-checksum";
  private static final String POSITION = "manifest-position";
  private static final String TOC_DIGEST = "containerd.io/snapshot/stargz/toc.digest";

  /** An annotation that cannot be read; the message says which. */
  static final class BadAnnotationException extends Exception {
    private static final long serialVersionUID = 1L;

    BadAnnotationException(String message) {
      super(message);
    }
  }

  static ChunkedAnnotations of(Map<String, String> annotations) throws BadAnnotationException {
    String prefix =
        PREFIXES.stream()
            .filter(each ->
                annotations.containsKey(each + CHECKSUM)
                    || annotations.containsKey(each + POSITION))
            .findFirst()
            .orElse(PREFIXES.getFirst());
    return new ChunkedAnnotations(
        digest(annotations, prefix + CHECKSUM),
        digest(annotations, TOC_DIGEST),
        position(annotations, prefix + POSITION));
  }

  /** The digest that says which TOC it is; empty if none does. */
  Optional<Digest> index() {
    return Optional.ofNullable(tocDigest == null ? encodedDigest : tocDigest);
  }

  private static @Nullable Digest digest(Map<String, String> annotations, String name)
      throws BadAnnotationException {
    String text = annotations.get(name);
    if (text == null) {
      return null;
    }
    try {
      Digest digest = Digest.parse(text);
      if (digest.algorithm() == Digest.Algorithm.SHA256) {
        return digest;
      }
    } catch (IllegalArgumentException e) {
      throw new BadAnnotationException("annotation " + name + ": " + e.getMessage());
    }
    throw new BadAnnotationException(
        "annotation " + name + ": " + text + ", only SHA-256 is known");
  }

  private static @Nullable ManifestPosition position(Map<String, String> annotations, String name)
      throws BadAnnotationException {
    String text = annotations.get(name);
    if (text == null) {
      return null;
    }
    return ManifestPosition.parse(text)
        .orElseThrow(() ->
            new BadAnnotationException(
                "annotation %s: four numbers expected, found \"%s\"".formatted(name, text)));
  }
}

package sluice.formats.tar;

import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * What a layer's media type says of its compression (OCI image specification, "layer.md"; Docker's
 * image manifest, schema 2).
 *
 * @param suffix what follows the type of the plain tar: {@code gzip}, {@code zstd}, or another
 * @param exact whether a type without suffix really means an uncompressed tar; Docker's does not
 *     say
 */
record TarMediaType(String suffix, boolean exact) {

  private static final Set<String> OCI =
      Set.of(
          "application/vnd.oci.image.layer.v1.tar",
          "application/vnd.oci.image.layer.nondistributable.v1.tar");
  private static final Set<String> DOCKER =
      Set.of(
          "application/vnd.docker.image.rootfs.diff.tar",
          "application/vnd.docker.image.rootfs.foreign.diff.tar");

  /** Reads a media type; empty if it is not one of an ordinary layer. */
  static Optional<TarMediaType> parse(String mediaType) {
    String type = mediaType.toLowerCase(Locale.ROOT);
    int plus = type.indexOf('+');
    String plain = plus < 0 ? type : type.substring(0, plus);
    String suffix = plus < 0 ? "" : type.substring(plus + 1);
    if (OCI.contains(plain)) {
      return Optional.of(new TarMediaType(suffix, true));
    }
    // Docker's types have the compression behind a dot: ….diff.tar.gzip
    for (String docker : DOCKER) {
      if (plain.equals(docker)) {
        return Optional.of(new TarMediaType(suffix, false));
      }
      if (type.startsWith(docker + '.')) {
        return Optional.of(new TarMediaType(type.substring(docker.length() + 1), false));
      }
    }
    return Optional.empty();
  }

  /** Whether it is a compression that we, and containerd, know. */
  boolean known() {
    return suffix.isEmpty() || suffix.equals("gzip") || suffix.equals("zstd");
  }

  /**
   * Whether the first bytes say how the layer is compressed. As in containerd they do, whatever the
   * media type's suffix is; only OCI's plain tar is taken at its word.
   */
  boolean detected() {
    return !(suffix.isEmpty() && exact);
  }
}

package sluice.registry;

import sluice.core.Descriptor;

/** How much of each answer is read. A registry may return anything. */
final class Limits {

  /**
   * Manifests and indexes: what registries must accept at least (OCI distribution specification,
   * "Pushing Manifests"), and what containerd reads at most, is 4 MiB.
   */
  static final int MANIFEST_BYTES = 4 * 1024 * 1024;

  /** Image configurations: the history of a thousand layers fits many times over. */
  static final int CONFIG_BYTES = 16 * 1024 * 1024;

  /** An answer of a token server; JSON web tokens with many grants reach some KiB. */
  static final int TOKEN_BYTES = 256 * 1024;

  /** The body of an answer that refuses; what is shown of it is shorter still. */
  static final int ERROR_BYTES = 64 * 1024;

  /** What a message quotes of a refusal. */
  static final int ERROR_SHOWN_CHARS = 400;

  /** A {@code Location} or {@code WWW-Authenticate} header; signed URLs reach 2 to 4 KiB. */
  static final int HEADER_CHARS = 16 * 1024;

  /** Values of a JSON document: 20 times what an index of 1,000 manifests has. */
  static final int JSON_TOKENS = 500_000;

  /** Levels of a JSON document; real ones have fewer than ten. */
  static final int JSON_DEPTH = 64;

  /**
   * What is read and thrown away to reach an offset when a server ignores {@code Range}. More would
   * turn each small read into the download of a layer.
   */
  static final int SKIPPED_BYTES = 16 * 1024 * 1024;

  /** Redirects of one request; registries use one, some content networks two. */
  static final int REDIRECTS = 5;

  /** Pages of one list of referrers. */
  static final int REFERRER_PAGES = 32;

  /** Manifests that a search for referrers reads in an image layout. */
  static final int LAYOUT_MANIFESTS = 10_000;

  /** Indexes inside indexes that a search for referrers follows in an image layout. */
  static final int LAYOUT_DEPTH = 8;

  /** Docker's configuration file. */
  static final int DOCKER_CONFIG_BYTES = 4 * 1024 * 1024;

  /** What a credential helper prints. */
  static final int HELPER_BYTES = 64 * 1024;

  private Limits() {}

  /** How much of small content is read: of a manifest or an index, or else of a configuration. */
  static int of(Descriptor descriptor) {
    return MediaTypes.isDocument(descriptor.mediaType()) ? MANIFEST_BYTES : CONFIG_BYTES;
  }
}

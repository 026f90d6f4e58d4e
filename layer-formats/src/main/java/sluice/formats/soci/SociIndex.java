package sluice.formats.soci;

import java.util.Optional;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.ImageDocument;

/**
 * A SOCI index: the manifest that lists the zTOCs of an image's layers, and what to fetch first.
 *
 * @param digest of the manifest
 */
record SociIndex(Digest digest, ImageDocument.Manifest manifest) {

  static final String LAYER = "com.amazon.soci.image-layer-digest";
  static final String ZTOC_TYPE = "application/octet-stream";

  /** An annotation of the index: name and version of what made it. */
  static final String TOOL = "com.amazon.soci.build-tool-identifier";

  private static final String PREFETCH_TYPE = "application/vnd.amazon.soci.prefetch.v1+json";

  /** How an index belongs to its image. */
  enum Version {
    /** It refers to the image. */
    V1,
    /** The image's manifest names it. */
    V2;

    String label() {
      return this == V1 ? "v1" : "v2";
    }

    /** The media type of its configuration, which alone says what it is. */
    String type() {
      return "application/vnd.amazon.soci.index." + label() + "+json";
    }
  }

  boolean is(Version version) {
    return manifest.config().mediaType().equals(version.type());
  }

  /** The zTOC of a layer; empty if the tool made none, as for small layers. */
  Optional<Descriptor> ztoc(Digest layer) {
    return find(ZTOC_TYPE, layer);
  }

  /** Which spans of a layer are to be fetched first; empty if it does not say. */
  Optional<Descriptor> prefetch(Digest layer) {
    return find(PREFETCH_TYPE, layer);
  }

  private Optional<Descriptor> find(String mediaType, Digest layer) {
    return manifest.layers().stream()
        .filter(each -> each.mediaType().equals(mediaType))
        .filter(each -> layer.toString().equals(each.annotations().get(LAYER)))
        .findFirst();
  }

  @Override
  public String toString() {
    return "SOCI index " + digest;
  }
}

package sluice.core;

import org.jspecify.annotations.Nullable;

/**
 * Where a layer's index comes from, and what vouches for it.
 *
 * @param binding what vouches for it
 * @param place where it lies, in a few words for people: {@code TOC in the layer}
 * @param sizeBytes length of the index as it is fetched or, where this node made it, kept; -1 if
 *     that is not known before
 * @param index digest of the index: two indexes of one layer may show different trees, so it is
 *     part of what a tree is kept under. Null where the layer's own digest vouches for all of it
 * @param manifest digest of the document by which the index was found, in the image's repository:
 *     what a signature is about. Null where there is no such document
 */
public record IndexOrigin(
    Binding binding,
    String place,
    long sizeBytes,
    @Nullable Digest index,
    @Nullable Digest manifest) {

  /** What vouches for an index. */
  public enum Binding {
    /** The layer's digest and diff ID, against which everything was verified. */
    LAYER,

    /**
     * The image's digest. Whoever made the image says that the layer holds this; that the layer's
     * diff ID is that of the same content is a claim, until the whole layer was read.
     */
    IMAGE,

    /** Whoever may push a referrer of the image to its repository. */
    REFERRER,

    /** Nothing: it was found in the blob, or by a tag. */
    NOTHING
  }

  /** An index that no document of its own leads to. */
  public IndexOrigin(Binding binding, String place, long sizeBytes, @Nullable Digest index) {
    this(binding, place, sizeBytes, index, null);
  }

  /** An origin that needs no trust. */
  public static IndexOrigin ofLayer(String place, long sizeBytes) {
    return new IndexOrigin(Binding.LAYER, place, sizeBytes, null);
  }
}

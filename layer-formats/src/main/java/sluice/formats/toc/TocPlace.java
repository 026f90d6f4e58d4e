package sluice.formats.toc;

import java.util.Set;
import org.jspecify.annotations.Nullable;
import sluice.core.ByteRange;
import sluice.core.Digest;
import sluice.core.Repository;

/**
 * Where the TOC of a layer lies, and which digests name it; at least one does.
 *
 * @param blob the blob that holds it, mostly the layer's
 * @param holders repositories that hold the blob
 * @param range where in the blob it lies as it is encoded
 * @param decodedBytes its length as JSON; -1 if that is not known before
 * @param payloadEnd the first byte of the layer's blob that is no payload's
 * @param encodedDigest digest of the range's bytes
 * @param tocDigest digest of the JSON
 * @param tail the end of the blob as far as it was fetched to find the TOC
 */
public record TocPlace(
    Digest blob,
    Set<Repository> holders,
    ByteRange range,
    Packing packing,
    long decodedBytes,
    long payloadEnd,
    @Nullable Digest encodedDigest,
    @Nullable Digest tocDigest,
    BlobTail tail) {

  /** How the JSON is encoded. */
  public enum Packing {
    /** The only file of a gzipped tar stream, or its first one: eStargz. */
    GZIPPED_TAR,
    /** zstd frames: zstd:chunked. */
    ZSTD
  }

  public TocPlace {
    holders = Set.copyOf(holders);
    if (encodedDigest == null && tocDigest == null) {
      throw new IllegalArgumentException("TOC of " + blob + ": no digest names it");
    }
  }
}

package sluice.core;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The unit that is fetched, decoded, verified and marked present.
 *
 * @param encoded the range of the blob; empty for bytes that are all zero and need no fetch
 * @param encoding how the range is encoded
 * @param decodedLength length of the decoded chunk in bytes
 * @param encodedDigest digest of the encoded bytes, or null; then every placement has its own
 * @param placements where the decoded bytes lie in the device, by rising device offset, at least
 *     one. Not copied, as it may be a view of millions that makes each as it is asked for: it must
 *     not change while the chunk is used
 * @param statement where in {@link DeviceIndex#statements} lies what must hold of the decoded bytes
 *     besides; empty if nothing is stated, as of zeros and streams
 */
public record Chunk(
    ByteRange encoded,
    ChunkEncoding encoding,
    long decodedLength,
    @Nullable Digest encodedDigest,
    List<Placement> placements,
    ByteRange statement) {

  private static final ByteRange NO_STATEMENT = new ByteRange(0, 0);

  /** A chunk of which nothing is stated. */
  public Chunk(
      ByteRange encoded,
      ChunkEncoding encoding,
      long decodedLength,
      @Nullable Digest encodedDigest,
      List<Placement> placements) {
    this(encoded, encoding, decodedLength, encodedDigest, placements, NO_STATEMENT);
  }

  public Chunk {
    if (placements.isEmpty()) {
      throw new IllegalArgumentException("chunk " + encoded + ": no placement");
    }
    for (Placement placement : placements) {
      if (placement.decodedOffset() + placement.lengthBytes() > decodedLength) {
        throw new IllegalArgumentException(
            "chunk %s: %s ends after the %d decoded bytes"
                .formatted(encoded, placement, decodedLength));
      }
      if (encodedDigest == null && placement.digest() == null) {
        throw new IllegalArgumentException(
            "chunk %s: no digest covers %s".formatted(encoded, placement));
      }
    }
  }

  /** The first byte of the device that the chunk fills. */
  public long deviceOffset() {
    return placements.getFirst().deviceOffset();
  }
}

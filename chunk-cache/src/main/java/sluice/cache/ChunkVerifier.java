package sluice.cache;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import sluice.core.ByteRange;
import sluice.core.ChunkDecoder;
import sluice.core.ChunkEncoding;
import sluice.core.ContentHasher;
import sluice.core.CorruptException;
import sluice.core.Digest;
import sluice.core.StatementCheck;

/**
 * Turns what a registry sent into bytes that are what their digests say. Runs on compute threads.
 */
final class ChunkVerifier {
  private static final ByteBuffer EMPTY = ByteBuffer.allocate(0).asReadOnlyBuffer();

  private final ChunkDecoder decoder;
  private final StatementCheck statements;

  ChunkVerifier(ChunkDecoder decoder, StatementCheck statements) {
    this.decoder = decoder;
    this.statements = statements;
  }

  /**
   * Decodes and verifies a chunk.
   *
   * @param encoded its range of the blob; for plain bytes the result shares its memory
   * @return the decoded chunk, from position 0 on
   * @throws CorruptException naming the blob, the range, the expected and the found digest
   */
  ByteBuffer decode(ChunkTable table, int chunk, ByteBuffer encoded) throws IOException {
    verify(table, chunk, table.encodedDigest(chunk), encoded, "");
    ChunkEncoding encoding = table.encoding(chunk);
    ByteBuffer decoded;
    if (encoding instanceof ChunkEncoding.Plain) {
      decoded = encoded.slice();
    } else {
      decoded = ByteBuffer.allocate((int) table.decodedLength(chunk));
      decode(table, chunk, encoded, decoded);
      decoded.flip();
    }
    verifyPlacements(table, chunk, decoded);
    return decoded;
  }

  private void decode(ChunkTable table, int chunk, ByteBuffer encoded, ByteBuffer decoded)
      throws IOException {
    ChunkEncoding encoding = table.encoding(chunk);
    ByteBuffer window = table.windowLength(chunk) == 0 ? EMPTY.duplicate() : table.window(chunk);
    try {
      decoder.decode(encoding, encoded.duplicate(), window, decoded);
    } catch (CorruptException e) {
      CorruptException corrupt = corrupt(table, chunk, "cannot be decoded: " + e.getMessage());
      corrupt.initCause(e);
      throw corrupt;
    }
    if (decoded.hasRemaining()) {
      throw corrupt(
          table,
          chunk,
          "%d bytes expected, %d found".formatted(decoded.capacity(), decoded.position()));
    }
  }

  /**
   * Compares a chunk, which is what its digests say, with what its index states of it.
   *
   * @param decoded what {@link #decode} returned
   * @throws CorruptException naming the blob, the range, what was found and what is stated
   */
  void compare(ChunkTable table, int chunk, ByteBuffer decoded) throws CorruptException {
    if (!table.hasStatement(chunk)) {
      return;
    }
    try {
      statements.check(table.statement(chunk), decoded, "blob " + table.blob());
    } catch (CorruptException e) {
      CorruptException corrupt =
          corrupt(table, chunk, "is not what its index says: " + e.getMessage());
      corrupt.initCause(e);
      throw corrupt;
    }
  }

  /**
   * Verifies what the digests of a chunk's placements cover.
   *
   * @throws CorruptException naming the blob, the range, the expected and the found digest
   */
  static void verifyPlacements(ChunkTable table, int chunk, ByteBuffer decoded)
      throws CorruptException {
    int placement = table.firstPlacement(chunk);
    for (int left = table.placementCount(chunk); ; placement = table.nextPlacement(placement)) {
      Digest digest = table.digest(placement);
      if (digest != null) {
        ByteBuffer bytes =
            decoded.slice((int) table.decodedOffset(placement), (int) table.lengthBytes(placement));
        ByteRange device = new ByteRange(table.deviceOffset(placement), bytes.remaining());
        verify(table, chunk, digest, bytes, ", device " + device);
      }
      if (--left == 0) {
        return;
      }
    }
  }

  /** Verifies a chunk of zeros, which are in no blob. */
  static void verifyZeros(ChunkTable table, int chunk) throws CorruptException {
    verify(table, chunk, table.encodedDigest(chunk), EMPTY, "");
    int placement = table.firstPlacement(chunk);
    for (int left = table.placementCount(chunk); ; placement = table.nextPlacement(placement)) {
      Digest digest = table.digest(placement);
      if (digest != null) {
        ByteBuffer zeros = ByteBuffer.allocate((int) table.lengthBytes(placement));
        verify(table, chunk, digest, zeros, ", zeros");
      }
      if (--left == 0) {
        return;
      }
    }
  }

  private static void verify(
      ChunkTable table, int chunk, @Nullable Digest expected, ByteBuffer bytes, String where)
      throws CorruptException {
    if (expected == null) {
      return;
    }
    byte[] found = ContentHasher.hash(expected.algorithm(), bytes);
    if (!expected.matches(found)) {
      throw corrupt(
          table,
          chunk,
          "%s expected, %s found%s"
              .formatted(expected, Digest.of(expected.algorithm(), found), where));
    }
  }

  static CorruptException corrupt(ChunkTable table, int chunk, String what) {
    ByteRange range = table.encoded(chunk);
    return new CorruptException(
        "chunk %d, bytes %s: %s".formatted(chunk, range, what),
        "blob " + table.blob(),
        range.offset());
  }
}

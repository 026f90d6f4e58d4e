package sluice.cache;

import java.lang.foreign.MemorySegment;
import java.security.MessageDigest;
import java.util.HexFormat;
import sluice.core.ChunkEncoding.DeflateCheckpoint;
import sluice.core.CorruptException;
import sluice.core.DeviceId;
import sluice.core.Digest;

/** Checks a chunk table once, so that whoever reads it later need not. */
final class TableChecks {
  private static final int PIECE_BYTES = 64 << 10;

  private final ChunkTable table;
  private final TableHeader header;

  private TableChecks(ChunkTable table) {
    this.table = table;
    this.header = table.header();
  }

  /** The SHA-256 over the whole table. */
  static DeviceId idOf(MemorySegment table) {
    MessageDigest hasher = Digest.sha256();
    byte[] piece = new byte[PIECE_BYTES];
    for (long at = 0; at < table.byteSize(); at += PIECE_BYTES) {
      int length = (int) Math.min(PIECE_BYTES, table.byteSize() - at);
      MemorySegment.copy(table, at, MemorySegment.ofArray(piece), 0, length);
      hasher.update(piece, 0, length);
    }
    return new DeviceId(HexFormat.of().formatHex(hasher.digest()));
  }

  /**
   * @throws CorruptException if a field of a record is out of bounds
   */
  static void check(ChunkTable table) throws CorruptException {
    TableChecks checks = new TableChecks(table);
    checks.checkChunks();
    checks.checkPlacements();
  }

  private void checkChunks() throws CorruptException {
    int lastFirst = -1;
    long placements = 0;
    for (int chunk = 0; chunk < table.chunkCount(); chunk++) {
      int first = table.firstPlacement(chunk);
      int count = table.placementCount(chunk);
      require(
          first > lastFirst
              && first < table.placementCount()
              && table.chunkOf(first) == chunk
              && count > 0,
          chunk,
          "placements");
      lastFirst = first;
      placements += count;
      DigestField.check(
          table.encodedDigestCode(chunk), header.encodedDigestBytes(), table.resource(), -1);
      checkLengths(chunk);
      checkEncoding(chunk);
      if (header.statementsBytes() > 0) {
        checkStatement(chunk);
      }
    }
    if (placements != table.placementCount()) {
      throw new CorruptException(
          "chunk table: %d placements, its chunks have %d"
              .formatted(table.placementCount(), placements),
          table.resource(),
          -1);
    }
  }

  private void checkLengths(int chunk) throws CorruptException {
    long offset = table.encodedOffset(chunk);
    long encoded = table.encodedLength(chunk);
    long decoded = table.decodedLength(chunk);
    require(
        offset >= 0 && encoded >= 0 && offset <= Long.MAX_VALUE - encoded && decoded > 0,
        chunk,
        "range");
    if (!table.isZeros(chunk) && !table.isWholeStream(chunk)) {
      require(
          encoded <= TableLimits.MAX_CHUNK_BYTES && decoded <= TableLimits.MAX_CHUNK_BYTES,
          chunk,
          "length (at most " + TableLimits.MAX_CHUNK_BYTES + ")");
      require(
          table.encodingCode(chunk) != EncodingField.PLAIN || encoded == decoded,
          chunk,
          "length of plain bytes");
    }
  }

  private void checkEncoding(int chunk) throws CorruptException {
    int code = table.encodingCode(chunk);
    require(code >= 0 && code <= EncodingField.LAST, chunk, "encoding");
    int bits = table.checkpointBits(chunk);
    require(bits >= 0 && bits <= 7, chunk, "bits of its checkpoint");
    long window = table.windowOffset(chunk);
    int length = table.windowLength(chunk);
    require(
        window >= 0
            && length >= 0
            && length <= DeflateCheckpoint.MAX_WINDOW_BYTES
            && window <= header.windowsBytes() - length,
        chunk,
        "window");
    if (code == EncodingField.WHOLE_STREAM) {
      require(
          table.encodingArgument(chunk) <= EncodingField.LAST_COMPRESSION, chunk, "compression");
      Digest digest = table.encodedDigestCode(chunk) == 0 ? null : table.encodedDigest(chunk);
      require(
          digest != null && digest.algorithm() != Digest.Algorithm.BLAKE3,
          chunk,
          "digest (a stream needs one of SHA-2)");
    }
  }

  private void checkStatement(int chunk) throws CorruptException {
    long offset = table.statementOffset(chunk);
    long length = table.statementLength(chunk);
    require(
        offset >= 0
            && length >= 0
            && length <= TableLimits.MAX_STATEMENT_BYTES
            && offset <= header.statementsBytes() - length
            && (length == 0 || !(table.isZeros(chunk) || table.isWholeStream(chunk))),
        chunk,
        "statement (at most " + TableLimits.MAX_STATEMENT_BYTES + " bytes)");
  }

  private void checkPlacements() throws CorruptException {
    long end = 0;
    for (int placement = 0; placement < table.placementCount(); placement++) {
      int chunk = table.chunkOf(placement);
      if (chunk < 0 || chunk >= table.chunkCount()) {
        throw new CorruptException(
            "chunk table: placement %d is of chunk %d".formatted(placement, chunk),
            table.resource(),
            -1);
      }
      long offset = table.deviceOffset(placement);
      long length = table.lengthBytes(placement);
      long decoded = table.decodedOffset(placement);
      require(
          length > 0 && offset >= end && offset <= header.deviceLength() - length,
          chunk,
          "place in the device");
      require(
          decoded >= 0 && decoded <= table.decodedLength(chunk) - length,
          chunk,
          "place in the decoded bytes");
      DigestField.check(
          table.digestCode(placement), header.placementDigestBytes(), table.resource(), -1);
      require(
          table.digestCode(placement) != 0 || table.encodedDigestCode(chunk) != 0, chunk, "digest");
      require(
          table.digestCode(placement) == 0 || length <= TableLimits.MAX_CHUNK_BYTES,
          chunk,
          "length under a digest");
      end = offset + length;
    }
  }

  private void require(boolean holds, int chunk, String what) throws CorruptException {
    if (!holds) {
      throw new CorruptException(
          "chunk table: chunk %d of %d has a bad %s".formatted(chunk, table.chunkCount(), what),
          table.resource(),
          -1);
    }
  }
}

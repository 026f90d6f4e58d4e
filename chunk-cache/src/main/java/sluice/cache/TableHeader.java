package sluice.cache;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import sluice.core.CorruptException;
import sluice.core.Digest;

/**
 * The first 128 bytes of a chunk table; see {@link ChunkTable} for the whole.
 *
 * <pre>
 *   0  magic                 8 bytes "SLCHUNKS"
 *   8  version               u32, 1; 2 if there are statements
 *  12  blob digest algorithm u32, see {@link DigestField}
 *  16  device length         u64, bytes
 *  24  chunk count           u32
 *  28  placement count       u32
 *  32  encoded digest width  u32, bytes in each chunk record: 0, 32 or 64
 *  36  placement digest width u32, bytes in each placement record: 0, 32 or 64
 *  40  windows length        u64, bytes
 *  48  statements length     u64, bytes; 0 in version 1
 *  56  zero                  8 bytes
 *  64  blob digest           64 bytes, padded with zeros
 * </pre>
 *
 * <p>So a table without statements is what it was before there were any, and its device keeps its
 * id; tables that were written then are read on.
 */
record TableHeader(
    Digest blob,
    long deviceLength,
    int chunkCount,
    int placementCount,
    int encodedDigestBytes,
    int placementDigestBytes,
    long windowsBytes,
    long statementsBytes) {

  static final int BYTES = 128;

  static final ValueLayout.OfInt LE_INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfLong LE_LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final byte[] MAGIC = "SLCHUNKS".getBytes(StandardCharsets.US_ASCII);
  private static final int VERSION = 1;
  private static final int VERSION_WITH_STATEMENTS = 2;
  private static final int ZERO_BYTES = 8;

  void write(ByteBuffer out) {
    out.put(MAGIC).putInt(version(statementsBytes)).putInt(DigestField.code(blob));
    out.putLong(deviceLength).putInt(chunkCount).putInt(placementCount);
    out.putInt(encodedDigestBytes).putInt(placementDigestBytes).putLong(windowsBytes);
    out.putLong(statementsBytes);
    out.put(new byte[ZERO_BYTES]);
    DigestField.put(out, blob, DigestField.MAX_BYTES);
  }

  /**
   * Reads the header and checks that the file is exactly as long as it says.
   *
   * @throws CorruptException if not
   */
  static TableHeader read(MemorySegment table, String resource) throws CorruptException {
    if (table.byteSize() < BYTES) {
      throw new CorruptException(
          "chunk table: %d bytes, at least %d expected".formatted(table.byteSize(), BYTES),
          resource,
          0);
    }
    byte[] magic = table.asSlice(0, MAGIC.length).toArray(JAVA_BYTE);
    int version = table.get(LE_INT, 8);
    long statementsBytes = table.get(LE_LONG, 48);
    if (!Arrays.equals(magic, MAGIC) || version != version(statementsBytes)) {
      throw new CorruptException(
          "chunk table: magic and version %d, with %d bytes of statements, are not those of version %d or %d"
              .formatted(version, statementsBytes, VERSION, VERSION_WITH_STATEMENTS),
          resource,
          0);
    }
    int algorithm = table.get(LE_INT, 12);
    DigestField.check(algorithm, DigestField.MAX_BYTES, resource, 12);
    Digest blob = DigestField.get(table, 64, algorithm);
    if (blob == null) {
      throw new CorruptException("chunk table: no blob digest", resource, 12);
    }
    TableHeader header =
        new TableHeader(
            blob,
            table.get(LE_LONG, 16),
            table.get(LE_INT, 24),
            table.get(LE_INT, 28),
            table.get(LE_INT, 32),
            table.get(LE_INT, 36),
            table.get(LE_LONG, 40),
            statementsBytes);
    header.check(table.byteSize(), resource);
    return header;
  }

  private void check(long fileBytes, String resource) throws CorruptException {
    boolean bounded =
        chunkCount >= 0
            && chunkCount <= TableLimits.MAX_CHUNKS
            && placementCount >= chunkCount
            && placementCount <= TableLimits.MAX_PLACEMENTS
            && deviceLength >= 0
            && deviceLength <= TableLimits.MAX_DEVICE_BYTES
            && DigestField.isWidth(encodedDigestBytes)
            && DigestField.isWidth(placementDigestBytes)
            && windowsBytes >= 0
            && windowsBytes <= fileBytes
            && statementsBytes >= 0
            && statementsBytes <= fileBytes;
    if (!bounded || fileBytes() != fileBytes) {
      throw new CorruptException(
          "chunk table: %d bytes do not hold what the header says: %s".formatted(fileBytes, this),
          resource,
          0);
    }
  }

  private static int version(long statementsBytes) {
    return statementsBytes == 0 ? VERSION : VERSION_WITH_STATEMENTS;
  }

  int chunkBytes() {
    int statement = statementsBytes == 0 ? 0 : ChunkTable.STATEMENT_BYTES;
    return ChunkTable.CHUNK_BYTES + encodedDigestBytes + statement;
  }

  int placementBytes() {
    return ChunkTable.PLACEMENT_BYTES + placementDigestBytes;
  }

  long placementsOffset() {
    return BYTES + (long) chunkCount * chunkBytes();
  }

  long windowsOffset() {
    return placementsOffset() + (long) placementCount * placementBytes();
  }

  long statementsOffset() {
    return windowsOffset() + windowsBytes;
  }

  long fileBytes() {
    return statementsOffset() + statementsBytes;
  }
}

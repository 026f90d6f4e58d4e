package sluice.cache;

import static sluice.cache.TableHeader.LE_INT;
import static sluice.cache.TableHeader.LE_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;
import sluice.core.ByteRange;
import sluice.core.ChunkEncoding;
import sluice.core.CorruptException;
import sluice.core.DeviceId;
import sluice.core.Digest;

/**
 * Where each piece of a device comes from: the file {@code chunks}, mapped, so that a device of ten
 * million chunks takes no heap. Chunks and placements are known by their numbers.
 *
 * <p>All integers are little endian; the same index gives the same bytes, so that their SHA-256 is
 * the {@link DeviceId}.
 *
 * <pre>
 * table     := header chunk{chunk count} placement{placement count} windows statements
 * header    := {@link TableHeader}
 * chunk     := by rising device offset of the first placement
 *    0  encoded offset    u64, in the blob
 *    8  encoded length    u64; 0: the chunk is zeros
 *   16  decoded length    u64
 *   24  window offset     u64, in windows
 *   32  first placement   u32
 *   36  placement count   u32
 *   40  encoding          u8, {@link EncodingField}
 *   41  encoding argument u8, first byte of a checkpoint or compression of a stream
 *   42  checkpoint bits   u8
 *   43  digest algorithm  u8, {@link DigestField}
 *   44  window length     u32
 *   48  encoded digest    as wide as the header says
 *    +  statement offset  u64, in statements; these two only if there are statements
 *    +  statement length  u64; 0: nothing is stated of the chunk
 * placement := by rising device offset; no two overlap
 *    0  device offset     u64
 *    8  decoded offset    u64, in the decoded chunk
 *   16  length            u64, not 0
 *   24  chunk             u32
 *   28  digest algorithm  u32
 *   32  digest            as wide as the header says
 * windows   := dictionaries of deflate checkpoints
 * statements := what must hold of decoded chunks besides, for a {@link sluice.core.StatementCheck}
 * </pre>
 *
 * <p>The placements of a chunk need not lie one after the other: those of a batch may interleave
 * with its neighbours'. Immutable and safe for use by many threads.
 */
final class ChunkTable {
  static final int CHUNK_BYTES = 48;
  static final int PLACEMENT_BYTES = 32;
  static final int STATEMENT_BYTES = 16;

  private final MemorySegment table;
  private final TableHeader header;
  private final String resource;

  private ChunkTable(MemorySegment table, TableHeader header, String resource) {
    this.table = table;
    this.header = header;
    this.resource = resource;
  }

  /**
   * Maps the table of {@code id} and checks that it is that one, whole.
   *
   * @throws CorruptException if it is not
   */
  static ChunkTable open(Path file, DeviceId id) throws IOException {
    MemorySegment table = map(file);
    DeviceId found = TableChecks.idOf(table);
    if (!found.equals(id)) {
      throw new CorruptException(
          "chunk table: its digest is %s, expected %s".formatted(found, id), file.toString(), -1);
    }
    return of(table, file.toString());
  }

  /**
   * A table in memory.
   *
   * @param resource names it in errors
   * @throws CorruptException if a field has a value that no reader could follow
   */
  static ChunkTable of(MemorySegment bytes, String resource) throws CorruptException {
    ChunkTable table = new ChunkTable(bytes, TableHeader.read(bytes, resource), resource);
    TableChecks.check(table);
    return table;
  }

  /** Maps a file until nobody refers to the result any more. */
  static MemorySegment map(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), Arena.ofAuto());
    }
  }

  TableHeader header() {
    return header;
  }

  String resource() {
    return resource;
  }

  int chunkCount() {
    return header.chunkCount();
  }

  int placementCount() {
    return header.placementCount();
  }

  Digest blob() {
    return header.blob();
  }

  /** The range of the blob. */
  ByteRange encoded(int chunk) {
    return new ByteRange(encodedOffset(chunk), encodedLength(chunk));
  }

  long encodedOffset(int chunk) {
    return table.get(LE_LONG, chunkAt(chunk));
  }

  long encodedLength(int chunk) {
    return table.get(LE_LONG, chunkAt(chunk) + 8);
  }

  long decodedLength(int chunk) {
    return table.get(LE_LONG, chunkAt(chunk) + 16);
  }

  /** Whether the chunk is zeros and needs no fetch. */
  boolean isZeros(int chunk) {
    return encodedLength(chunk) == 0;
  }

  boolean isWholeStream(int chunk) {
    return encodingCode(chunk) == EncodingField.WHOLE_STREAM && !isZeros(chunk);
  }

  ChunkEncoding encoding(int chunk) {
    return EncodingField.get(
        encodingCode(chunk),
        encodingArgument(chunk),
        checkpointBits(chunk),
        new ByteRange(windowOffset(chunk), windowLength(chunk)));
  }

  int encodingCode(int chunk) {
    return table.get(ValueLayout.JAVA_BYTE, chunkAt(chunk) + 40);
  }

  int encodingArgument(int chunk) {
    return Byte.toUnsignedInt(table.get(ValueLayout.JAVA_BYTE, chunkAt(chunk) + 41));
  }

  int checkpointBits(int chunk) {
    return table.get(ValueLayout.JAVA_BYTE, chunkAt(chunk) + 42);
  }

  long windowOffset(int chunk) {
    return table.get(LE_LONG, chunkAt(chunk) + 24);
  }

  int windowLength(int chunk) {
    return table.get(LE_INT, chunkAt(chunk) + 44);
  }

  /** The dictionary of the chunk; empty unless it is deflate from a checkpoint. */
  ByteBuffer window(int chunk) {
    return table
        .asSlice(header.windowsOffset() + windowOffset(chunk), windowLength(chunk))
        .asByteBuffer();
  }

  boolean hasStatement(int chunk) {
    return header.statementsBytes() > 0 && statementLength(chunk) > 0;
  }

  /** What is stated of the chunk, of which {@link #hasStatement something} is. */
  ByteBuffer statement(int chunk) {
    return table
        .asSlice(header.statementsOffset() + statementOffset(chunk), statementLength(chunk))
        .asByteBuffer();
  }

  /** In a table that has statements. */
  long statementOffset(int chunk) {
    return table.get(LE_LONG, chunkAt(chunk) + CHUNK_BYTES + header.encodedDigestBytes());
  }

  /** In a table that has statements. */
  long statementLength(int chunk) {
    return table.get(
        LE_LONG, chunkAt(chunk) + CHUNK_BYTES + header.encodedDigestBytes() + Long.BYTES);
  }

  @Nullable Digest encodedDigest(int chunk) {
    return DigestField.get(table, chunkAt(chunk) + CHUNK_BYTES, encodedDigestCode(chunk));
  }

  int encodedDigestCode(int chunk) {
    return table.get(ValueLayout.JAVA_BYTE, chunkAt(chunk) + 43);
  }

  /** The chunk's placement that comes first in the device. */
  int firstPlacement(int chunk) {
    return table.get(LE_INT, chunkAt(chunk) + 32);
  }

  int placementCount(int chunk) {
    return table.get(LE_INT, chunkAt(chunk) + 36);
  }

  /**
   * The next placement of the chunk of {@code placement}, which is not its last.
   *
   * @throws CorruptException if there is none
   */
  int nextPlacement(int placement) throws CorruptException {
    int chunk = chunkOf(placement);
    for (int next = placement + 1; next < placementCount(); next++) {
      if (chunkOf(next) == chunk) {
        return next;
      }
    }
    throw new CorruptException(
        "chunk table: chunk %d has fewer placements than it says".formatted(chunk), resource, -1);
  }

  /** The first placement that ends after {@code deviceOffset}; the count if there is none. */
  int placementAt(long deviceOffset) {
    int low = 0;
    int high = placementCount();
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (deviceOffset(middle) + lengthBytes(middle) > deviceOffset) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }

  long deviceOffset(int placement) {
    return table.get(LE_LONG, recordOf(placement));
  }

  long decodedOffset(int placement) {
    return table.get(LE_LONG, recordOf(placement) + 8);
  }

  long lengthBytes(int placement) {
    return table.get(LE_LONG, recordOf(placement) + 16);
  }

  int chunkOf(int placement) {
    return table.get(LE_INT, recordOf(placement) + 24);
  }

  int digestCode(int placement) {
    return table.get(LE_INT, recordOf(placement) + 28);
  }

  @Nullable Digest digest(int placement) {
    return DigestField.get(table, recordOf(placement) + PLACEMENT_BYTES, digestCode(placement));
  }

  /** The first four bytes of the placement's digest, which it has. */
  int digestPrefix(int placement) {
    return table.get(LE_INT, recordOf(placement) + PLACEMENT_BYTES);
  }

  private long chunkAt(int chunk) {
    return TableHeader.BYTES + (long) chunk * header.chunkBytes();
  }

  private long recordOf(int placement) {
    return header.placementsOffset() + (long) placement * header.placementBytes();
  }
}

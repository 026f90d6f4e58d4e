package sluice.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sluice.core.ByteRange;
import sluice.core.Chunk;
import sluice.core.ChunkEncoding;
import sluice.core.ChunkEncoding.DeflateCheckpoint;
import sluice.core.ChunkEncoding.DeflateSpan;
import sluice.core.ChunkEncoding.GzipMember;
import sluice.core.ChunkEncoding.Lz4Block;
import sluice.core.ChunkEncoding.Plain;
import sluice.core.ChunkEncoding.StreamCompression;
import sluice.core.ChunkEncoding.WholeStream;
import sluice.core.ChunkEncoding.ZstdFrame;
import sluice.core.CorruptException;
import sluice.core.DeviceId;
import sluice.core.DeviceIndex;
import sluice.core.Digest;
import sluice.core.Placement;

final class ChunkTableTest {
  private static final Digest BLOB = Digest.sha256(new byte[] {1});
  private static final Digest SHA512 = new Digest(Digest.Algorithm.SHA512, "ab".repeat(64));
  private static final Digest BLAKE3 = new Digest(Digest.Algorithm.BLAKE3, "cd".repeat(32));

  /** Of {@link #everything}, as it was written before there were statements. */
  private static final String ID_OF_VERSION_1 =
      "4a5818a01b97dd45b7af46fc265f38a9f44d1891e7d472d0ecd50b9fd563a134";

  @TempDir private Path directory;

  private Path write(DeviceIndex index) throws IOException {
    Path file = Files.createTempFile(directory, "chunks", "");
    try (FileChannel out = FileChannel.open(file, StandardOpenOption.WRITE)) {
      ChunkTableWriter.write(index, out);
    }
    return file;
  }

  private ChunkTable table(DeviceIndex index) throws IOException {
    return ChunkTable.of(MemorySegment.ofArray(Files.readAllBytes(write(index))), "test");
  }

  private static Chunk chunk(
      ChunkEncoding encoding, long encodedOffset, Digest encodedDigest, Placement... placements) {
    long decoded = 0;
    for (Placement placement : placements) {
      decoded = Math.max(decoded, placement.decodedOffset() + placement.lengthBytes());
    }
    long length = encoding instanceof Plain ? decoded : 100;
    return new Chunk(
        new ByteRange(encodedOffset, length),
        encoding,
        decoded,
        encodedDigest,
        List.of(placements));
  }

  private static DeviceIndex everything() {
    return new DeviceIndex(
        BLOB,
        1 << 20,
        List.of(
            chunk(new Plain(), 0, BLOB, new Placement(0, 10, 0, null)),
            chunk(new ZstdFrame(), 10, BLOB, new Placement(0, 10, 10, BLAKE3)),
            chunk(
                new Lz4Block(),
                110,
                BLOB,
                new Placement(90, 10, 20, SHA512),
                new Placement(0, 10, 50, null),
                new Placement(30, 1, 80, BLAKE3)),
            chunk(
                new GzipMember(),
                210,
                BLOB,
                new Placement(5, 5, 30, null),
                new Placement(0, 5, 60, null)),
            chunk(
                new DeflateCheckpoint(0xab, 5, new ByteRange(3, 17)),
                310,
                SHA512,
                new Placement(0, 1, 100, null)),
            chunk(
                new DeflateSpan(7, new ByteRange(1, 19)),
                1000,
                SHA512,
                new Placement(3, 4, 200, null)),
            chunk(
                new WholeStream(StreamCompression.ZSTD),
                1L << 40,
                BLOB,
                new Placement(512, 100_000, 4096, null))),
        MemorySegment.ofArray(new byte[20]));
  }

  @Test
  void read_eachField_isWhatWasWritten() throws Exception {
    DeviceIndex index = everything();
    ChunkTable table = table(index);
    assertThat(table.blob()).isEqualTo(BLOB);
    assertThat(table.header().deviceLength()).isEqualTo(1 << 20);
    List<Chunk> found = new ArrayList<>();
    for (int chunk = 0; chunk < table.chunkCount(); chunk++) {
      found.add(chunkOf(table, chunk));
    }
    assertThat(found).containsExactlyElementsOf(index.chunks());
    assertThat(table.window(4).remaining()).isEqualTo(17);
    assertThat(table.window(5).remaining()).isEqualTo(19);
  }

  private static DeviceIndex stated() {
    DeviceIndex index = everything();
    List<Chunk> chunks = new ArrayList<>();
    for (Chunk chunk : index.chunks()) {
      boolean last = chunk.encoding() instanceof WholeStream;
      chunks.add(statedOf(chunk, last ? new ByteRange(0, 0) : new ByteRange(chunks.size(), 3)));
    }
    return new DeviceIndex(
        BLOB,
        index.lengthBytes(),
        chunks,
        index.windows(),
        MemorySegment.ofArray(new byte[] {0, 1, 2, 3, 4, 5, 6, 7, 8}));
  }

  private static Chunk statedOf(Chunk chunk, ByteRange statement) {
    return new Chunk(
        chunk.encoded(),
        chunk.encoding(),
        chunk.decodedLength(),
        chunk.encodedDigest(),
        chunk.placements(),
        statement);
  }

  @Test
  void read_statements_areWhatWasWritten() throws Exception {
    DeviceIndex index = stated();
    ChunkTable table = table(index);
    int at = 0;
    for (Chunk chunk : index.chunks()) {
      assertThat(statedOf(chunkOf(table, at), chunk.statement())).isEqualTo(chunk);
      assertThat(table.hasStatement(at)).isEqualTo(at < 6);
      if (at < 6) {
        byte[] bytes = new byte[3];
        table.statement(at).get(bytes);
        assertThat(bytes).containsExactly(at, at + 1, at + 2);
      }
      at++;
    }
    assertThat(table.window(5).remaining()).isEqualTo(19);
  }

  /** Tables of before there were statements are found by the same id, and read. */
  @Test
  void write_noStatements_isATableOfVersion1() throws Exception {
    Path file = write(everything());
    assertThat(TableChecks.idOf(ChunkTable.map(file)).hex()).isEqualTo(ID_OF_VERSION_1);
    assertThat(table(everything()).hasStatement(0)).isFalse();
  }

  @Test
  void write_statementOutsideOrOfAStream_isRefused() {
    Chunk stream =
        chunk(new WholeStream(StreamCompression.NONE), 0, BLOB, new Placement(0, 10, 0, null));
    Chunk plain = chunk(new Plain(), 0, BLOB, new Placement(0, 10, 0, null));
    MemorySegment bytes = MemorySegment.ofArray(new byte[5]);
    for (Chunk chunk :
        List.of(
            statedOf(stream, new ByteRange(0, 1)),
            statedOf(plain, new ByteRange(0, 6)),
            statedOf(plain, new ByteRange(5, 1)))) {
      assertThatThrownBy(
              () -> table(new DeviceIndex(BLOB, 4096, List.of(chunk), MemorySegment.NULL, bytes)))
          .isInstanceOf(CorruptException.class)
          .hasMessageContaining("bad statement");
    }
  }

  private static Chunk chunkOf(ChunkTable table, int chunk) throws CorruptException {
    List<Placement> placements = new ArrayList<>();
    int placement = table.firstPlacement(chunk);
    for (int i = 0; i < table.placementCount(chunk); i++) {
      placement = i == 0 ? placement : table.nextPlacement(placement);
      assertThat(table.chunkOf(placement)).isEqualTo(chunk);
      placements.add(
          new Placement(
              table.decodedOffset(placement),
              table.lengthBytes(placement),
              table.deviceOffset(placement),
              table.digest(placement)));
    }
    return new Chunk(
        table.encoded(chunk),
        table.encoding(chunk),
        table.decodedLength(chunk),
        table.encodedDigest(chunk),
        placements);
  }

  @Test
  void placementAt_eachOffset_isTheFirstThatEndsAfterIt() throws Exception {
    ChunkTable table = table(everything());
    for (long offset = 0; offset < 5000; offset++) {
      int found = table.placementAt(offset);
      int expected = 0;
      while (expected < table.placementCount()
          && table.deviceOffset(expected) + table.lengthBytes(expected) <= offset) {
        expected++;
      }
      assertThat(found).isEqualTo(expected);
    }
    assertThat(table.placementAt(1 << 20)).isEqualTo(table.placementCount());
  }

  @Test
  void write_sameIndex_givesTheSameBytes() throws Exception {
    assertThat(Files.readAllBytes(write(everything())))
        .isEqualTo(Files.readAllBytes(write(everything())));
  }

  @Test
  void write_noChunks_isATable() throws Exception {
    ChunkTable table = table(new DeviceIndex(BLOB, 4096, List.of()));
    assertThat(table.chunkCount()).isZero();
    assertThat(table.placementAt(0)).isZero();
  }

  @Test
  void write_overlapDisorderOrOutside_isRefused() {
    Chunk first = chunk(new Plain(), 0, BLOB, new Placement(0, 10, 0, null));
    Chunk second = chunk(new Plain(), 0, BLOB, new Placement(0, 10, 9, null));
    Chunk outside = chunk(new Plain(), 0, BLOB, new Placement(0, 10, 4090, null));
    Chunk backwards =
        chunk(
            new WholeStream(StreamCompression.NONE),
            0,
            BLOB,
            new Placement(10, 10, 0, null),
            new Placement(0, 10, 10, null));
    Chunk huge =
        new Chunk(
            new ByteRange(0, 5),
            new GzipMember(),
            TableLimits.MAX_CHUNK_BYTES + 1,
            BLOB,
            List.of(new Placement(0, 10, 0, null)));
    Chunk shorter =
        new Chunk(
            new ByteRange(0, 5), new Plain(), 10, BLOB, List.of(new Placement(0, 10, 0, null)));
    Chunk noWindow =
        chunk(
            new DeflateCheckpoint(0, 0, new ByteRange(0, 1)),
            0,
            BLOB,
            new Placement(0, 1, 0, null));
    for (List<Chunk> chunks :
        List.of(
            List.of(first, second),
            List.of(second, first),
            List.of(outside),
            List.of(backwards),
            List.of(huge),
            List.of(shorter),
            List.of(noWindow))) {
      assertThatThrownBy(() -> table(new DeviceIndex(BLOB, 4096, chunks)))
          .isInstanceOf(CorruptException.class);
    }
  }

  @Test
  void write_chunkStrewnOverTheDevice_isRefused() {
    List<Chunk> chunks = new ArrayList<>();
    long last = TableLimits.MAX_INTERLEAVED + 2L;
    chunks.add(
        chunk(new Plain(), 0, BLOB, new Placement(0, 1, 0, null), new Placement(1, 1, last, null)));
    for (int i = 1; i < last; i++) {
      chunks.add(chunk(new Plain(), 0, BLOB, new Placement(0, 1, i, null)));
    }
    assertThatThrownBy(() -> table(new DeviceIndex(BLOB, 1 << 20, chunks)))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("others apart");
  }

  @Test
  void open_otherId_isCorrupt() throws Exception {
    Path file = write(everything());
    DeviceId id = TableChecks.idOf(ChunkTable.map(file));
    assertThat(ChunkTable.open(file, id).chunkCount()).isEqualTo(7);
    assertThatThrownBy(() -> ChunkTable.open(file, new DeviceId("0".repeat(64))))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("its digest is " + id);
  }

  @Test
  void of_truncatedAnywhere_isCorrupt() throws Exception {
    byte[] bytes = Files.readAllBytes(write(stated()));
    for (int length = 0; length < bytes.length; length++) {
      byte[] cut = Arrays.copyOf(bytes, length);
      assertThatThrownBy(() -> ChunkTable.of(MemorySegment.ofArray(cut), "test"))
          .isInstanceOf(CorruptException.class);
    }
  }

  @Test
  void of_flippedBits_isCorruptOrCanBeRead() throws Exception {
    byte[] bytes = Files.readAllBytes(write(stated()));
    int corrupt = 0;
    for (int bit = 0; bit < bytes.length * 8; bit++) {
      byte[] flipped = bytes.clone();
      flipped[bit / 8] ^= (byte) (1 << bit % 8);
      corrupt += TableReads.readAll(flipped) ? 0 : 1;
    }
    assertThat(corrupt).isGreaterThan(bytes.length);
  }

  @Test
  void write_manyInterleavedBatches_keepsEachPlacement() throws Exception {
    Random random = new Random(3);
    List<Integer> places = new ArrayList<>();
    for (int i = 0; i < 3000; i++) {
      places.add(i);
    }
    Collections.shuffle(places, random);
    List<Chunk> chunks = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      List<Placement> placements = new ArrayList<>();
      List<Integer> mine = new ArrayList<>(places.subList(i * 10, i * 10 + 10));
      Collections.sort(mine);
      for (int k = 0; k < 10; k++) {
        placements.add(new Placement(k * 7L, 7, mine.get(k) * 7L, BLOB));
      }
      chunks.add(new Chunk(new ByteRange(i, 1), new GzipMember(), 70, null, placements));
    }
    chunks.sort((left, right) -> Long.compare(left.deviceOffset(), right.deviceOffset()));
    ChunkTable table = table(new DeviceIndex(BLOB, 24576, chunks));
    for (int i = 0; i < chunks.size(); i++) {
      assertThat(chunkOf(table, i)).isEqualTo(chunks.get(i));
    }
  }
}

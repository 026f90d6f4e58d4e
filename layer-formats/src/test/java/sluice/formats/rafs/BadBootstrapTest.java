package sluice.formats.rafs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import sluice.core.CorruptException;
import sluice.core.Digest;
import sluice.testing.Fixtures;

/** Bootstraps and context tables that are cut short, flipped or made to lie. */
class BadBootstrapTest {

  private static final long SEED = 0xbadb007L;
  private static final int EXTENSION = 1152;

  @TempDir private Path directory;

  private byte[] bootstrap = {};
  private byte[] contexts = {};

  @BeforeEach
  void unpack() throws IOException, InterruptedException {
    Fixtures fixtures = Fixtures.of("small");
    Digest layer = fixtures.document("nydus-batch").layers().getLast().digest();
    Path unpacked = Files.createDirectory(directory.resolve("unpacked"));
    BootstrapLayer files =
        BootstrapLayer.unpack(
            Files.newInputStream(fixtures.blob(layer)),
            layer,
            fixtures.diffIds("nydus-batch").getLast(),
            unpacked,
            "layer");
    bootstrap = Files.readAllBytes(files.bootstrap());
    for (Path file : files.contexts().values()) {
      byte[] bytes = Files.readAllBytes(file);
      contexts = bytes.length > contexts.length ? bytes : contexts;
    }
    assertThat(index(bootstrap, contexts)).isPositive();
  }

  @Test
  void read_ofATreeThatMayNotGrowFails() throws Exception {
    Path file = Files.write(directory.resolve("bootstrap"), bootstrap);
    Path meta = Files.write(directory.resolve("contexts"), contexts);
    long[] left = {20_000};
    assertThatThrownBy(() ->
            Probe.index(
                file,
                meta,
                bytes -> {
                  left[0] -= bytes;
                  if (left[0] < 0) {
                    throw new IOException("no more room");
                  }
                }))
        .hasMessage("no more room");
  }

  /** The largest bootstrap that is unpacked has room for fifty million chunks. */
  @Test
  void read_asksForWhatChunksAndBatchesTake() throws Exception {
    Path file = Files.write(directory.resolve("bootstrap"), bootstrap);
    Path meta = Files.write(directory.resolve("contexts"), contexts);
    long[] asked = {0};
    int count = Probe.chunks(file, meta, bytes -> asked[0] += bytes);
    assertThat(asked[0]).isGreaterThan(100L * count);
    for (long room : List.of(0L, asked[0] - 1)) {
      long[] left = {room};
      assertThatThrownBy(() ->
              Probe.chunks(
                  file,
                  meta,
                  bytes -> {
                    left[0] -= bytes;
                    if (left[0] < 0) {
                      throw new IOException("no more room");
                    }
                  }))
          .hasMessage("no more room");
    }
  }

  @Test
  void read_ofEveryTruncationIsCorrupt() {
    int end = 0x31000 + 190 * ChunkEntry.BYTES; // Behind the chunk table there is only padding.
    for (int length = 0; length < end; length += 1021) {
      byte[] cut = Arrays.copyOf(bootstrap, length);
      assertThatThrownBy(() -> index(cut, contexts))
          .as("%d of %d bytes", length, bootstrap.length)
          .isInstanceOf(CorruptException.class)
          .hasMessageContaining("resource=");
    }
    for (int length = 0; length < contexts.length; length += 509) {
      byte[] cut = Arrays.copyOf(contexts, length);
      assertThatThrownBy(() -> index(bootstrap, cut)).isInstanceOf(CorruptException.class);
    }
  }

  @Test
  void read_ofFlippedBitsIsATreeOrAnError() throws InterruptedException {
    Random random = new Random(SEED);
    int readable = 0;
    for (int i = 0; i < 400; i++) {
      byte[] flipped = bootstrap.clone();
      int flips = 1 + random.nextInt(4);
      for (int j = 0; j < flips; j++) {
        int at = i % 2 == 0 ? 1024 + random.nextInt(4096) : random.nextInt(flipped.length);
        flipped[at] ^= (byte) (1 << random.nextInt(8));
      }
      readable += indexOrError(flipped, contexts);
    }
    for (int i = 0; i < 200; i++) {
      byte[] flipped = contexts.clone();
      flipped[random.nextInt(flipped.length)] ^= (byte) (1 << random.nextInt(8));
      readable += indexOrError(bootstrap, flipped);
    }
    assertThat(readable).isBetween(1, 599);
  }

  /** Offset, width in bytes, value; each is a number that a reader must not believe. */
  @ParameterizedTest
  @CsvSource({
    "0x400, 4, 0x12345678, superblock: magic",
    "0x408, 4, 0, superblock: magic",
    "0x456, 2, 0xffff, blob table",
    "0x480, 8, 0x10001bc, more than one digest algorithm",
    "0x480, 8, 0x10001b0, no digest algorithm",
    "0x488, 8, 0x7fffffffffffffff, blob table",
    "0x488, 8, 0xffffffffffffffff, blob table",
    "0x490, 4, 0xffffff00, blob table",
    "0x494, 4, 0, chunk size 0",
    "0x494, 4, 0x80000000, chunk size 2147483648",
    "0x494, 4, 0x1001, chunk size 4097",
    "0x498, 8, 0x7fffffffffffff00, chunk table",
    "0x4a0, 8, 0x7fffffffffffff00, chunk table",
    "0x4a0, 8, 81, chunk table: 81 bytes",
    "0x4a8, 8, 0xffffffffffff0000, prefetch table",
    "0x4b0, 4, 0xffffffff, prefetch table",
    "0x1040, 4, 7, 'index 7'",
    "0x104c, 4, 9, 'compressor 9'",
    "0x1050, 4, 2, digest algorithm 2",
    "0x1054, 4, 0x70000024, features 0x70000024",
    "0x1054, 4, 0x7000f0a5, features 0x7000f0a5",
    "0x1060, 8, 0xffffffffffffffff, uncompressed size",
    "0x1060, 8, 0x1000, lies outside of the 4096 bytes",
    "0x31020, 4, 3, 'chunk table: blob 3 of 3'",
    "0x31028, 4, 0xffffffff, cannot lie so",
    "0x3102c, 4, 0, lies outside",
    "0x3102c, 4, 0x7fffffff, lies outside",
    "0x31038, 8, 0xffffffffffffffff, uncompressed offset",
    "0x31038, 8, 0x7ffffffff000, uncompressed offset",
    "0x31048, 4, 0x7fffffff, of a table of"
  })
  void read_ofAbsurdNumbersIsCorrupt(String at, int width, String value, String message) {
    byte[] changed = bootstrap.clone();
    ByteBuffer buffer = ByteBuffer.wrap(changed).order(ByteOrder.LITTLE_ENDIAN);
    long number =
        value.startsWith("0x")
            ? Long.parseUnsignedLong(value.substring(2), 16)
            : Long.parseLong(value);
    int offset = Integer.decode(at);
    switch (width) {
      case 2 -> buffer.putShort(offset, (short) number);
      case 4 -> buffer.putInt(offset, (int) number);
      default -> buffer.putLong(offset, number);
    }
    assertThatThrownBy(() -> index(changed, contexts))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining(message)
        .hasMessageContaining("resource=");
  }

  @Test
  void read_refusesAChunkWithoutADigest() {
    byte[] changed = bootstrap.clone();
    Arrays.fill(changed, 0x31000, 0x31020, (byte) 0);
    assertThatThrownBy(() -> index(changed, contexts))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("has no digest");
  }

  @Test
  void read_refusesAFileThatNoChunkCovers() {
    byte[] changed = bootstrap.clone();
    long bytes = ByteBuffer.wrap(changed).order(ByteOrder.LITTLE_ENDIAN).getLong(EXTENSION + 32);
    ByteBuffer.wrap(changed).order(ByteOrder.LITTLE_ENDIAN).putLong(EXTENSION + 32, bytes - 80);
    assertThatThrownBy(() -> index(changed, contexts))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("no digest covers them");
  }

  @Test
  void read_refusesOverlappingChunks() {
    byte[] changed = bootstrap.clone();
    ByteBuffer table = ByteBuffer.wrap(changed).order(ByteOrder.LITTLE_ENDIAN);
    table.putLong(0x31000 + 56, table.getLong(0x31000 + 80 + 56));
    assertThatThrownBy(() -> index(changed, contexts))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("overlaps");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 10, 100, 3000})
  void unpack_ofATruncatedLayerIsCorrupt(int length) throws IOException {
    byte[] layer = gzip(RawNydusTest.tar(bootstrap));
    byte[] cut = Arrays.copyOf(layer, length);
    assertThatThrownBy(() -> unpack(new ByteArrayInputStream(cut), layer))
        .isInstanceOf(IOException.class);
  }

  @Test
  void unpack_ofALayerWithoutABootstrapIsCorrupt() throws IOException {
    byte[] layer = gzip(new byte[1024]);
    assertThatThrownBy(() -> unpack(new ByteArrayInputStream(layer), layer))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("no entry image/image.boot");
  }

  private void unpack(InputStream stream, byte[] layer) throws IOException {
    byte[] tar;
    try (InputStream in = new GZIPInputStream(new ByteArrayInputStream(layer))) {
      tar = in.readAllBytes();
    }
    BootstrapLayer.unpack(
        stream, Digest.sha256(layer), Digest.sha256(tar), directory, "bootstrap layer");
  }

  private static byte[] gzip(byte[] bytes) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(bytes);
    }
    return out.toByteArray();
  }

  private int indexOrError(byte[] image, byte[] table) throws InterruptedException {
    try {
      index(image, table);
      return 1;
    } catch (IOException e) {
      assertThat(e.getMessage()).isNotBlank();
      return 0;
    }
  }

  /** Reads everything that is in a bootstrap and says how many chunks there are. */
  private int index(byte[] image, byte[] table) throws IOException, InterruptedException {
    Path file = directory.resolve("image.boot");
    Files.deleteIfExists(file);
    Files.write(file, image);
    Path meta = directory.resolve("blob.meta");
    Files.deleteIfExists(meta);
    Files.write(meta, table);
    return Probe.index(file, meta);
  }
}

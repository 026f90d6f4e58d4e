package sluice.formats.rafs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import sluice.core.CorruptException;
import sluice.testing.Fixtures;

/** Zran tables, and bootstraps that refer to them, cut short, flipped or made to lie. */
class BadZranTest {

  private static final long SEED = 0x2a4a0baL;

  /** The largest layer of {@code small}: its blob.meta, length and place in the blob table. */
  private static final String META =
      "image/9787370a3efcb3c3e3ae60d472f60cd54d404238412cae9b1ab1ac2e9d699a73.blob.meta";

  private static final int BLOB = 1;

  /** As the header says: 182 entries, then 13 contexts, then their dictionaries. */
  private static final int CONTEXTS = 4368;

  private static final int CONTEXT_COUNT = 13;
  private static final int TABLE_BYTES = 398_104;

  /** Those of the entries that the image refers to. */
  private static final int CHUNKS = 167;

  @TempDir private Path directory;

  private byte[] bootstrap = {};
  private byte[] meta = {};
  private int blob;

  @BeforeEach
  void unpack() throws IOException, InterruptedException {
    Map<String, byte[]> files = ZranImage.files(Fixtures.of("small"));
    bootstrap = Objects.requireNonNull(files.get("image/image.boot"));
    meta = Objects.requireNonNull(files.get(META));
    blob = ZranImage.of("small", directory.resolve("layout")).blobEntry(BLOB);
    onlyThisBlob();
    assertThat(index(bootstrap, meta)).isEqualTo(CHUNKS);
  }

  /** Takes the other blobs' chunks out of the chunk table, and all files out of the tree. */
  private void onlyThisBlob() {
    ByteBuffer boot = little(bootstrap);
    int table = (int) boot.getLong(1152 + 24);
    int end = table + (int) boot.getLong(1152 + 32);
    int kept = table;
    for (int at = table; at < end; at += ChunkEntry.BYTES) {
      if (boot.getInt(at + ChunkEntry.BLOB_INDEX_OFFSET) == BLOB) {
        System.arraycopy(bootstrap, at, bootstrap, kept, ChunkEntry.BYTES);
        kept += ChunkEntry.BYTES;
      }
    }
    boot.putLong(1152 + 32, kept - table);
  }

  @Test
  void read_ofEveryTruncationIsCorrupt() {
    for (int length = 0; length < meta.length; length += 1021) {
      byte[] cut = Arrays.copyOf(meta, length);
      assertThatThrownBy(() -> index(bootstrap, cut))
          .as("%d of %d bytes", length, meta.length)
          .isInstanceOf(CorruptException.class)
          .hasMessageContaining("resource=blob.meta of blob sha256:");
    }
  }

  /** The table cut out from before its header, which stays. */
  @Test
  void read_ofATableThatIsShorterThanItsHeaderSaysIsCorrupt() {
    byte[] header = Arrays.copyOfRange(meta, meta.length - ContextHeader.BYTES, meta.length);
    for (int length : new int[] {0, 24, CONTEXTS - 1, CONTEXTS + 100, TABLE_BYTES - 1}) {
      byte[] cut = Arrays.copyOf(meta, length + header.length);
      System.arraycopy(header, 0, cut, length, header.length);
      assertThatThrownBy(() -> index(bootstrap, cut))
          .isInstanceOf(CorruptException.class)
          .hasMessageContaining("but there are " + length);
    }
  }

  @Test
  void read_ofFlippedBitsIsChunksOrAnError() throws InterruptedException {
    Random random = new Random(SEED);
    int readable = 0;
    for (int i = 0; i < 400; i++) {
      byte[] flipped = meta.clone();
      int tables = CONTEXTS + CONTEXT_COUNT * ZranContext.BYTES;
      int at =
          i % 4 == 0
              ? meta.length - ContextHeader.BYTES + random.nextInt(64)
              : random.nextInt(tables);
      flipped[at] ^= (byte) (1 << random.nextInt(8));
      try {
        assertThat(index(bootstrap, flipped)).isEqualTo(CHUNKS);
        readable++;
      } catch (IOException e) {
        assertThat(e).isInstanceOf(CorruptException.class);
      }
    }
    assertThat(readable).isBetween(1, 399);
  }

  /** Offset from the header's end or from the table's beginning, width in bytes, value. */
  @ParameterizedTest
  @CsvSource({
    "-4096, 4, 0x12345678, context header: magic",
    "-4, 4, 0, context header: magic",
    "-4092, 4, 0x70000037, 'features 0x70000037, expected 0xc among them'",
    "-4092, 4, 0x7000003b, 'features 0x7000003b, expected 0xc among them'",
    "-4088, 4, 9, compressor 9",
    "-4084, 4, 0xffffffff, context entries: 103079215080 bytes at 0",
    "-4084, 4, 5, of a table of 5 entries",
    "-4056, 8, 0xffffffffffffffff, contexts: 520 bytes at 18446744073709551615",
    "-4056, 8, 0x7fffffffffffffff, contexts: 520 bytes at 9223372036854775807",
    "-4048, 8, 519, dictionaries: 18446744073709551615 bytes",
    "-4048, 8, 0x7fffffffffffffff, dictionaries: 9223372036854775287 bytes",
    "-4048, 8, 0x8000000000000000, dictionaries: ",
    "-4040, 4, 0xffffffff, contexts: 171798691800 bytes",
    "-4040, 4, 12, context 12 of 12",
    "4368, 8, 0xffffffffffffffff, zran context of 42190 bytes at 18446744073709551615",
    "4368, 8, 0x7fffffffffffffff, zran context of 42190 bytes at 9223372036854775807",
    "4368, 8, 481347, 'in a layer of 523536'",
    "4392, 4, 523527, zran context of 523527 bytes at 10",
    "4392, 4, 0, zran context of 0 bytes at 10",
    "4392, 4, 0xffffffff, zran context of 4294967295 bytes at 10",
    "4396, 4, 0, 'decoded 0, '",
    "4396, 4, 0x2000001, 'decoded 33554433, dictionary of 0 at 0, 0 bits: expected 1 to 33554432'",
    "4396, 4, 0xffffffff, 'decoded 4294967295, '",
    "4424, 8, 360449, dictionary of 32768 at 360449",
    "4424, 8, 0xffffffffffffffff, dictionary of 32768 at 18446744073709551615",
    "4440, 4, 32769, dictionary of 32769 at 0",
    "4440, 4, 0xffffffff, dictionary of 4294967295 at 0",
    "4445, 1, 8, '8 bits: expected'",
    "4445, 1, 0xff, '255 bits: expected'",
    "0, 4, 7, 'context entry 0: 20 bytes at 28672'",
    "4, 2, 30, 'context entry 0: 31 bytes at 0'",
    "7, 1, 1, 'flags 0x1; expected 20 bytes at 0 with flag 0x2'",
    "7, 1, 4, 'flags 0x4; expected 20 bytes at 0 with flag 0x2'",
    "16, 4, 0xffffffff, '20 bytes at 4294967295 of context 0, which decodes to 1093119'",
    "16, 4, 1093100, '20 bytes at 1093100 of context 0'",
    "20, 4, 13, context entry 0: context 13 of 13",
    "20, 4, 0xffffffff, context entry 0: context 4294967295 of 13"
  })
  void read_ofAbsurdTablesIsCorrupt(int at, int width, String value, String message) {
    byte[] changed = meta.clone();
    put(changed, at < 0 ? changed.length + at : at, width, value);
    assertThatThrownBy(() -> index(bootstrap, changed))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining(message)
        .hasMessageContaining("resource=blob.meta of blob sha256:64917fc1");
  }

  /** Offset in the blob's entry of the blob table, width in bytes, value. */
  @ParameterizedTest
  @CsvSource({
    "84, 4, 0x70000039, 'zran blob with features 0x70000039'",
    "84, 4, 0x700000bd, 'zran blob with features 0x700000bd'",
    "88, 8, 0, compressed size 0",
    "88, 8, 0xffffffffffffffff, compressed size 18446744073709551615",
    "88, 8, 0x10000000001, compressed size 1099511627777",
    "88, 8, 42199, 'in a layer of 42199'",
    "96, 8, 0x1000, 'lies outside of the 4096 bytes'",
    "216, 4, 1, is encrypted"
  })
  void read_ofAbsurdBlobsIsCorrupt(int at, int width, String value, String message) {
    put(bootstrap, blob + at, width, value);
    assertThatThrownBy(() -> index(bootstrap, meta))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(message);
  }

  @Test
  void read_ofABlobThatDoesNotSayWhereItsContextsAreIsCorrupt() {
    Arrays.fill(bootstrap, blob + 168, blob + 200, (byte) 0);
    assertThatThrownBy(() -> index(bootstrap, meta))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("metadata in null");
  }

  @Test
  void read_ofOverlappingChunksIsCorrupt() {
    ByteBuffer boot = little(bootstrap);
    int at = (int) boot.getLong(1152 + 24);
    while (boot.getInt(at + 72) != 2) {
      at += ChunkEntry.BYTES;
    }
    boot.putLong(at + ChunkEntry.UNCOMPRESSED_OFFSET_OFFSET, 0);
    little(meta).putInt(2 * ContextEntry.BYTES, 0);
    assertThatThrownBy(() -> index(bootstrap, meta))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("overlaps");
  }

  private static void put(byte[] bytes, int at, int width, String value) {
    long number =
        value.startsWith("0x")
            ? Long.parseUnsignedLong(value.substring(2), 16)
            : Long.parseLong(value);
    ByteBuffer buffer = little(bytes);
    switch (width) {
      case 1 -> buffer.put(at, (byte) number);
      case 2 -> buffer.putShort(at, (short) number);
      case 4 -> buffer.putInt(at, (int) number);
      default -> buffer.putLong(at, number);
    }
  }

  private static ByteBuffer little(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Reads all tables and says how many chunks there are. */
  private int index(byte[] image, byte[] table) throws IOException, InterruptedException {
    Path file = directory.resolve("image.boot");
    Files.deleteIfExists(file);
    Files.write(file, image);
    Path contexts = directory.resolve("blob.meta");
    Files.deleteIfExists(contexts);
    Files.write(contexts, table);
    return Probe.chunks(file, contexts);
  }
}

package sluice.formats.rafs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import sluice.core.ByteRange;
import sluice.core.ChunkEncoding.DeflateCheckpoint;
import sluice.core.ContentHasher;
import sluice.core.Digest;
import sluice.formats.decode.EncodingDecoder;
import sluice.testing.Fixtures;

/** Checkpoints that nydus made in gzip layers, at any bit: each chunk behind one has a digest. */
class ZranCheckpointTest {

  private static final int CONTEXT_BYTES = 40;
  private static final long ENTRIES_OFFSET_MASK = 0xffff_ffffL;

  private final Map<String, byte[]> files = new HashMap<>();
  private final Map<Long, byte[]> decoded = new HashMap<>();
  private int bitsSeen;

  @ParameterizedTest
  @ValueSource(strings = {"small", "reader", "second", "deep", "one"})
  void decode_givesEveryChunkBehindEveryCheckpoint(String image) throws IOException {
    Fixtures fixtures = Fixtures.of(image);
    files.putAll(ZranImage.files(fixtures));
    MemorySegment boot = MemorySegment.ofArray(files.get("image/image.boot"));
    long blobTable = boot.get(Layout.LE_LONG, 1152 + 8);
    long chunkTable = boot.get(Layout.LE_LONG, 1152 + 24);
    long chunks = boot.get(Layout.LE_LONG, 1152 + 32) / ChunkEntry.BYTES;
    for (long i = 0; i < chunks; i++) {
      ChunkEntry chunk = ChunkEntry.read(boot, chunkTable + i * ChunkEntry.BYTES);
      long blob = blobTable + (long) chunk.blobIndex() * BlobEntry.BYTES;
      byte[] layer =
          Files.readAllBytes(
              fixtures.blob(
                  new Digest(
                      Digest.Algorithm.SHA256,
                      new String(Layout.bytes(boot, blob, 64), StandardCharsets.US_ASCII))));
      String meta = Digest.of(Digest.Algorithm.SHA256, Layout.bytes(boot, blob + 168, 32)).hex();
      byte[] content =
          chunk(layer, MemorySegment.ofArray(files.get("image/" + meta + ".blob.meta")), chunk);
      assertThat(ContentHasher.matches(chunk.digest(Digest.Algorithm.SHA256), wrap(content)))
          .as("chunk %d of %s", i, image)
          .isTrue();
    }
    assertThat(chunks).isPositive();
    if (image.equals("small")) {
      // The larger fixture has checkpoints that begin inside of a byte.
      assertThat(Integer.bitCount(bitsSeen)).isGreaterThan(2);
    }
  }

  private byte[] chunk(byte[] layer, MemorySegment meta, ChunkEntry chunk) throws IOException {
    long header = meta.byteSize() - ContextHeader.BYTES;
    ContextHeader table = ContextHeader.read(meta, header, "blob.meta");
    long data = meta.get(Layout.LE_LONG, (long) chunk.index() * ContextEntry.BYTES + 16);
    byte[] context =
        context(layer, meta, table.contextsOffset(), table.contexts(), (int) (data >>> 32));
    byte[] content = new byte[chunk.uncompressedBytes()];
    System.arraycopy(context, (int) (data & ENTRIES_OFFSET_MASK), content, 0, content.length);
    return content;
  }

  /** A zran context: in_offset, out_offset, dict_offset, in_len, out_len, dict_size, byte, bits. */
  private byte[] context(byte[] layer, MemorySegment meta, long contexts, long count, int index)
      throws IOException {
    long at = contexts + (long) index * CONTEXT_BYTES;
    long key = ((long) layer.length << 32) + index;
    byte[] known = decoded.get(key);
    if (known != null) {
      return known;
    }
    int from = (int) meta.get(Layout.LE_LONG, at);
    long dictionary = contexts + count * CONTEXT_BYTES + meta.get(Layout.LE_LONG, at + 16);
    int length = meta.get(Layout.LE_INT, at + 24);
    ByteBuffer out = ByteBuffer.allocate(meta.get(Layout.LE_INT, at + 28));
    int dictionaryBytes = meta.get(Layout.LE_INT, at + 32);
    byte[] bits = Layout.bytes(meta, at + 36, 2);
    bitsSeen |= 1 << bits[1];
    new EncodingDecoder()
        .decode(
            new DeflateCheckpoint(bits[0] & 0xff, bits[1], new ByteRange(0, dictionaryBytes)),
            ByteBuffer.wrap(layer, from, length),
            wrap(Layout.bytes(meta, dictionary, dictionaryBytes)),
            out);
    decoded.put(key, out.array());
    return out.array();
  }

  private static ByteBuffer wrap(byte[] bytes) {
    return ByteBuffer.wrap(bytes);
  }
}

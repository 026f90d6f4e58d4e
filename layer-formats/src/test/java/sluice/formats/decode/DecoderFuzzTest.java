package sluice.formats.decode;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.github.luben.zstd.Zstd;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.stream.Stream;
import net.jpountz.lz4.LZ4Factory;
import org.apache.commons.compress.compressors.gzip.GzipCompressorOutputStream;
import org.junit.jupiter.params.provider.MethodSource;
import sluice.core.ByteRange;
import sluice.core.ChunkEncoding;
import sluice.core.CorruptException;

/**
 * Any bytes in each encoding: they decode or are corrupt, and nothing around the room is touched.
 */
class DecoderFuzzTest {

  private static final byte GUARD = 0x5a;
  private static final int GUARD_BYTES = 32;
  private static final int DECODED_BYTES = 4096;

  static Stream<byte[]> seeds() throws IOException {
    byte[] text = EncodingDecoderTest.text(DECODED_BYTES);
    ByteArrayOutputStream gzip = new ByteArrayOutputStream();
    try (OutputStream out = new GzipCompressorOutputStream(gzip)) {
      out.write(text);
    }
    DeflateWriter deflate = new DeflateWriter();
    deflate.padding(3);
    return Stream.of(
        text,
        Zstd.compress(text),
        LZ4Factory.safeInstance().fastCompressor().compress(text),
        gzip.toByteArray(),
        deflate.blocksWithReferences(text, 0),
        new byte[0]);
  }

  @MethodSource("seeds")
  @FuzzTest(maxDuration = "10m")
  void decode_anyBytesInAnyEncoding(byte[] encoded) throws IOException {
    for (ByteBuffer in :
        new ByteBuffer[] {
          ByteBuffer.wrap(encoded), ByteBuffer.allocateDirect(encoded.length).put(encoded).flip()
        }) {
      decode(new ChunkEncoding.Plain(), in);
      decode(new ChunkEncoding.ZstdFrame(), in);
      decode(new ChunkEncoding.Lz4Block(), in);
      decode(new ChunkEncoding.GzipMember(), in);
      int first = encoded.length > 0 ? encoded[0] & 0xff : 0;
      ByteRange window = new ByteRange(0, DECODED_BYTES);
      decode(new ChunkEncoding.DeflateCheckpoint(first, encoded.length % 8, window), in);
      decode(new ChunkEncoding.DeflateSpan(encoded.length % 8, window), in);
    }
  }

  private static void decode(ChunkEncoding encoding, ByteBuffer in) throws IOException {
    boolean direct = in.isDirect();
    int capacity = DECODED_BYTES + 2 * GUARD_BYTES;
    ByteBuffer out = direct ? ByteBuffer.allocateDirect(capacity) : ByteBuffer.allocate(capacity);
    byte[] guards = new byte[capacity];
    Arrays.fill(guards, GUARD);
    out.put(guards).position(GUARD_BYTES).limit(capacity - GUARD_BYTES);
    try {
      new EncodingDecoder().decode(encoding, in, ByteBuffer.allocate(DECODED_BYTES), out);
      assertThat(out.hasRemaining()).isFalse();
    } catch (CorruptException e) {
      assertThat(e).hasMessageContaining("resource=");
    }
    out.clear();
    for (int i = 0; i < GUARD_BYTES; i++) {
      assertThat(out.get(i)).isEqualTo(GUARD);
      assertThat(out.get(capacity - 1 - i)).isEqualTo(GUARD);
    }
  }
}

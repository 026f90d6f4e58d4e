package sluice.benchmarks;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import sluice.core.ChunkDecoder;
import sluice.formats.decode.EncodingDecoder;

/**
 * What a core decodes: a chunk of each encoding through the decoder that the cache calls, and the
 * same bytes by the library alone.
 */
@State(Scope.Thread)
public class DecodeBenchmark {

  /** A RAFS chunk as nydus makes it by default. */
  static final int DECODED_BYTES = 1 << 20;

  /** How the chunk is encoded; {@link InflateBenchmark} has gzip. */
  @Param public EncodedSample sample = EncodedSample.ZSTD;

  private final ChunkDecoder decoder = new EncodingDecoder();
  private final ByteBuffer decoded = ByteBuffer.allocate(DECODED_BYTES);
  private byte[] encoded = new byte[0];

  /** Encodes the content, and sees that both ways give it back. */
  @Setup
  public void encode() throws IOException {
    byte[] content = SampleContent.text(DECODED_BYTES);
    encoded = sample.encode(content);
    check(ours(), content);
    check(library(), content);
  }

  /** As the cache decodes a chunk. */
  @Benchmark
  public ByteBuffer ours() throws IOException {
    decoder.decode(
        sample.encoding(), ByteBuffer.wrap(encoded), ByteBuffer.allocate(0), decoded.clear());
    return decoded;
  }

  /** As its library decodes it. */
  @Benchmark
  public ByteBuffer library() {
    sample.decodeByLibrary(encoded, decoded.array());
    return decoded;
  }

  static void check(ByteBuffer decoded, byte[] content) {
    if (!decoded.clear().equals(ByteBuffer.wrap(content))) {
      throw new AssertionError("decoded to other bytes");
    }
    decoded.put(new byte[decoded.remaining()]);
  }
}

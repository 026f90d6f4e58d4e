package sluice.benchmarks;

import java.nio.ByteBuffer;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import sluice.core.ContentHasher;
import sluice.core.Digest;

/**
 * What a core hashes. BLAKE3 is plain Java that the JIT compiler makes into vector instructions,
 * for as long as it recognises the loops: one chunk of 1024 bytes is hashed without them, a
 * mebibyte with.
 */
@State(Scope.Thread)
public class HashBenchmark {

  /** One BLAKE3 chunk: the scalar path. */
  static final int SCALAR_BYTES = 1024;

  /** A RAFS chunk as nydus makes it by default: the wide path. */
  static final int WIDE_BYTES = 1 << 20;

  /** How much is hashed at once. */
  @Param({"" + SCALAR_BYTES, "65536", "" + WIDE_BYTES})
  public int lengthBytes;

  private ByteBuffer content = ByteBuffer.allocate(0);

  /** Makes the content. */
  @Setup
  public void fill() {
    content = ByteBuffer.wrap(SampleContent.text(lengthBytes));
  }

  /** Ours. */
  @Benchmark
  public byte[] blake3() {
    return ContentHasher.hash(Digest.Algorithm.BLAKE3, content);
  }

  /** The JDK's, which has instructions of the processor for it. */
  @Benchmark
  public byte[] sha256() {
    return ContentHasher.hash(Digest.Algorithm.SHA256, content);
  }
}

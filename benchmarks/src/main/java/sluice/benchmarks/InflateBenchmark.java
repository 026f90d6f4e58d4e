package sluice.benchmarks;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.stream.Stream;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import sluice.core.ByteRange;
import sluice.core.ChunkEncoding;
import sluice.core.ChunkEncoding.StreamCompression;
import sluice.formats.decode.EncodingDecoder;
import sluice.formats.inflate.CheckpointPass;
import sluice.formats.inflate.InflaterLibrary;
import sluice.formats.inflate.RawInflater;
import sluice.formats.stream.LayerStream;

/**
 * What a core inflates by each library: chunks and whole streams as the cache and the formats
 * decode them, and the library alone, on native memory, without headers, checksums and copies.
 */
@State(Scope.Thread)
public class InflateBenchmark {

  private static final int WINDOW_BYTES = 32 << 10;

  /** RFC 1952 without optional fields. */
  private static final int GZIP_HEADER_BYTES = 10;

  private static final int GZIP_TRAILER_BYTES = 8;

  private static final int SPAN_BYTES = 1 << 20;

  /** What a stream is read by: as the thread that unpacks a layer gets it. */
  private static final int BLOCK_BYTES = 256 << 10;

  /** The uses of an inflater. */
  public enum Sample {
    /** A chunk that is a gzip member. */
    MEMBER(1 << 20),
    /** A chunk behind a checkpoint, 32 KiB before it. */
    CHECKPOINT(1 << 20),
    /** A small one, as eStargz may have. */
    SMALL(64 << 10),
    /** A layer, from its beginning to its end. */
    STREAM(4 << 20),
    /** The same, for the places from which a part of it can be decoded; by libz only. */
    CHECKPOINTS(4 << 20);

    private final int lengthBytes;

    Sample(int lengthBytes) {
      this.lengthBytes = lengthBytes;
    }

    int lengthBytes() {
      return lengthBytes;
    }

    /** What a library is used for. */
    static Stream<Sample> of(InflaterLibrary library) {
      return Stream.of(values())
          .filter(sample -> sample != CHECKPOINTS || library == InflaterLibrary.LIBZ);
    }
  }

  /** The library. */
  @Param public InflaterLibrary library = InflaterLibrary.JDK;

  /** The use. */
  @Param public Sample sample = Sample.MEMBER;

  private EncodingDecoder decoder = new EncodingDecoder(InflaterLibrary.JDK);
  private RawInflater inflater = InflaterLibrary.JDK.open();
  private byte[] window = new byte[0];
  private byte[] encoded = new byte[0];
  private ByteBuffer decoded = ByteBuffer.allocate(0);
  private ByteBuffer nativeEncoded = ByteBuffer.allocate(0);
  private ByteBuffer nativeDecoded = ByteBuffer.allocate(0);
  private byte[] block = new byte[0];

  /** Encodes the content, and sees that both ways give it back. */
  @Setup
  public void encode() throws IOException, DataFormatException {
    inflater.close();
    inflater = library.open();
    decoder = new EncodingDecoder(library);
    byte[] content = SampleContent.text(sample.lengthBytes);
    decoded = ByteBuffer.allocate(content.length);
    block = new byte[BLOCK_BYTES];
    int header = 0;
    int trailer = 0;
    if (sample == Sample.CHECKPOINT) {
      window = Arrays.copyOf(content, WINDOW_BYTES);
      encoded = deflate(content, window);
    } else {
      encoded = gzip(content);
      header = GZIP_HEADER_BYTES;
      trailer = GZIP_TRAILER_BYTES;
    }
    int length = encoded.length - header - trailer;
    nativeEncoded = ByteBuffer.allocateDirect(length).put(encoded, header, length).flip();
    nativeDecoded = ByteBuffer.allocateDirect(content.length);
    if (sample != Sample.STREAM && sample != Sample.CHECKPOINTS) {
      DecodeBenchmark.check(chunk(), content);
    }
    DecodeBenchmark.check(alone(), content);
  }

  /** Frees the inflater. */
  @TearDown
  public void close() {
    inflater.close();
  }

  /** As Sluice decodes it. */
  @Benchmark
  public Object ours() throws IOException {
    return switch (sample) {
      case MEMBER, CHECKPOINT, SMALL -> chunk();
      case STREAM -> stream();
      case CHECKPOINTS -> checkpoints();
    };
  }

  /** As the library decodes it. */
  @Benchmark
  public ByteBuffer alone() throws DataFormatException {
    inflater.start(0, 0, ByteBuffer.wrap(window));
    inflater.inflate(nativeEncoded.rewind(), nativeDecoded.clear());
    return nativeDecoded;
  }

  private ByteBuffer chunk() throws IOException {
    ChunkEncoding encoding =
        sample == Sample.CHECKPOINT
            ? new ChunkEncoding.DeflateCheckpoint(0, 0, new ByteRange(0, WINDOW_BYTES))
            : new ChunkEncoding.GzipMember();
    decoder.decode(encoding, ByteBuffer.wrap(encoded), ByteBuffer.wrap(window), decoded.clear());
    return decoded;
  }

  private Long stream() throws IOException {
    long length = 0;
    try (InputStream stream =
        LayerStream.open(
            StreamCompression.GZIP, new ByteArrayInputStream(encoded), "sample", library)) {
      for (int read = 0; read >= 0; read = stream.read(block)) {
        length += read;
      }
    }
    if (length != sample.lengthBytes) {
      throw new AssertionError("%d bytes instead of %d".formatted(length, sample.lengthBytes));
    }
    return length;
  }

  private Integer checkpoints() throws IOException {
    CheckpointPass.Sink sink =
        new CheckpointPass.Sink() {
          @Override
          public void checkpoint(long blobOffset, long tarOffset, int bits, ByteBuffer window) {
            // Found; a file would take it.
          }

          @Override
          public void spanEnd(byte[] sha256) {
            // As above.
          }
        };
    try (CheckpointPass pass = new CheckpointPass(SPAN_BYTES, sink, "sample")) {
      pass.feed(ByteBuffer.wrap(encoded));
      return pass.finish().checkpoints();
    }
  }

  private static byte[] gzip(byte[] content) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(content);
    }
    return out.toByteArray();
  }

  private static byte[] deflate(byte[] content, byte[] window) {
    Deflater deflater = new Deflater(Deflater.DEFAULT_COMPRESSION, true);
    try {
      deflater.setDictionary(window);
      deflater.setInput(content);
      deflater.finish();
      byte[] encoded = new byte[2 * content.length];
      return Arrays.copyOf(encoded, deflater.deflate(encoded));
    } finally {
      deflater.end();
    }
  }
}

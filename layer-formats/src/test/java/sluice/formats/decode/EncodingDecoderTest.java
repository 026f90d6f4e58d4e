package sluice.formats.decode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdOutputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import net.jpountz.lz4.LZ4Factory;
import org.apache.commons.compress.compressors.gzip.GzipCompressorOutputStream;
import org.apache.commons.compress.compressors.gzip.GzipParameters;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import sluice.core.ByteRange;
import sluice.core.ChunkEncoding;
import sluice.core.CorruptException;
import sluice.formats.inflate.InflaterLibrary;

/** Every encoding, against encoders that are not ours. */
class EncodingDecoderTest {

  private static final long SEED = 0xdec0deL;
  private static final ByteBuffer NO_WINDOW = ByteBuffer.allocate(0);
  private static final EncodingDecoder DECODER = new EncodingDecoder();

  /** A chunk, what it decodes to, and how it is encoded. */
  static final class Sample {
    private final String name;
    private final ChunkEncoding encoding;
    private final byte[] decoded;
    private final byte[] encoded;
    private final EncodingDecoder decoder;

    Sample(String name, ChunkEncoding encoding, byte[] decoded, byte[] encoded) {
      this(name, encoding, decoded, encoded, DECODER);
    }

    private Sample(
        String name,
        ChunkEncoding encoding,
        byte[] decoded,
        byte[] encoded,
        EncodingDecoder decoder) {
      this.name = name;
      this.encoding = encoding;
      this.decoded = decoded;
      this.encoded = encoded;
      this.decoder = decoder;
    }

    /** The same, decoded by each inflater of this host. */
    Stream<Sample> byEachInflater() {
      return Stream.of(InflaterLibrary.values())
          .filter(InflaterLibrary::present)
          .map(library ->
              new Sample(
                  name + " by " + library,
                  encoding,
                  decoded,
                  encoded,
                  new EncodingDecoder(library)));
    }

    /** Whether a chunk of this encoding may be the beginning of what is encoded. */
    boolean mayBePrefix() {
      return encoding instanceof ChunkEncoding.ZstdFrame
          || encoding instanceof ChunkEncoding.GzipMember;
    }

    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Sample> samples() throws IOException {
    Stream.Builder<Sample> samples = Stream.builder();
    for (int length : new int[] {1, 100, 4096, 1 << 20, (1 << 20) + 77}) {
      byte[] text = text(length);
      samples.add(new Sample("plain " + length, new ChunkEncoding.Plain(), text, text));
      samples.add(
          new Sample("zstd " + length, new ChunkEncoding.ZstdFrame(), text, Zstd.compress(text)));
      samples.add(
          new Sample(
              "two zstd frames " + length,
              new ChunkEncoding.ZstdFrame(),
              concat(text, text),
              concat(Zstd.compress(text), Zstd.compress(text, 19))));
      byte[] lz4 = LZ4Factory.safeInstance().fastCompressor().compress(text);
      samples.add(new Sample("lz4 " + length, new ChunkEncoding.Lz4Block(), text, lz4));
      samples.add(new Sample("gzip " + length, new ChunkEncoding.GzipMember(), text, gzip(text)));
      samples.add(
          new Sample(
              "three gzip members " + length,
              new ChunkEncoding.GzipMember(),
              concat(text, concat(new byte[length], text)),
              concat(gzip(text), concat(gzip(new byte[length]), gzip(text)))));
    }
    byte[] noise = new byte[70_000];
    new Random(SEED).nextBytes(noise);
    samples.add(
        new Sample(
            "zstd without a length",
            new ChunkEncoding.ZstdFrame(),
            text(300_000),
            zstdStream(text(300_000))));
    samples.add(
        new Sample("zstd noise", new ChunkEncoding.ZstdFrame(), noise, Zstd.compress(noise)));
    samples.add(
        new Sample(
            "lz4 noise",
            new ChunkEncoding.Lz4Block(),
            noise,
            LZ4Factory.safeInstance().highCompressor().compress(noise)));
    samples.add(new Sample("gzip noise", new ChunkEncoding.GzipMember(), noise, gzip(noise)));
    return samples
        .build()
        .flatMap(sample ->
            sample.encoding instanceof ChunkEncoding.GzipMember
                ? sample.byEachInflater()
                : Stream.of(sample));
  }

  @ParameterizedTest
  @MethodSource("samples")
  void decode_givesWhatWasEncodedInAnyKindOfBuffer(Sample sample) throws IOException {
    for (ByteBuffer in : buffersOf(sample.encoded)) {
      for (ByteBuffer out : roomFor(sample.decoded.length)) {
        int start = out.position();
        int end = out.limit();
        int encodedAt = in.position();
        sample.decoder.decode(sample.encoding, in, NO_WINDOW, out);
        assertThat(out.position()).isEqualTo(end);
        assertThat(in.position()).isEqualTo(encodedAt);
        byte[] found = new byte[end - start];
        out.get(start, found);
        assertThat(found).isEqualTo(sample.decoded);
        out.clear();
        assertThat(out.get(start - 1)).as("byte before").isEqualTo(GUARD);
        assertThat(out.get(end)).as("byte after").isEqualTo(GUARD);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("samples")
  void decode_refusesAnotherLength(Sample sample) {
    int length = sample.decoded.length;
    int[] wrongs =
        sample.mayBePrefix() ? new int[] {length + 1} : new int[] {length - 1, length + 1};
    for (int wrong : wrongs) {
      for (ByteBuffer out : roomFor(wrong)) {
        assertThatThrownBy(() ->
                sample.decoder.decode(
                    sample.encoding, ByteBuffer.wrap(sample.encoded), NO_WINDOW, out))
            .isInstanceOf(CorruptException.class);
        out.clear();
        assertThat(out.get(out.capacity() - GUARD_BYTES)).as("byte after").isEqualTo(GUARD);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("samples")
  void decode_ofAMemberOrFrameGivesItsBeginning(Sample sample) throws IOException {
    assumeThat(sample.mayBePrefix()).isTrue();
    int length = sample.decoded.length;
    for (int wanted : new int[] {length - 1, length / 2, 1}) {
      for (ByteBuffer in : buffersOf(sample.encoded)) {
        for (ByteBuffer out : roomFor(wanted)) {
          sample.decoder.decode(sample.encoding, in, NO_WINDOW, out);
          byte[] found = new byte[wanted];
          assertThat(out.hasRemaining()).isFalse();
          out.get(GUARD_BYTES, found);
          assertThat(found).isEqualTo(Arrays.copyOf(sample.decoded, wanted));
          out.clear();
          assertThat(out.get(GUARD_BYTES + wanted)).as("byte after").isEqualTo(GUARD);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("samples")
  void decode_refusesTruncatedAndOverlongInput(Sample sample) throws IOException {
    byte[] encoded = sample.encoded;
    int step = Math.max(1, encoded.length / 40);
    for (int length = 0; length < encoded.length; length += step) {
      byte[] cut = Arrays.copyOf(encoded, length);
      if (sample.mayBePrefix() && length >= encoded.length - TAIL_BYTES) {
        // What is missing may be the checksum alone; a digest covers the content.
        assertRightOrCorrupt(sample, cut);
      } else {
        assertThatThrownBy(() -> decodeWhole(sample, cut))
            .as("first %d of %d bytes", length, encoded.length)
            .isInstanceOf(CorruptException.class);
      }
    }
    byte[] more = concat(encoded, new byte[] {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
    if (sample.mayBePrefix()) {
      assertThat(decodeWhole(sample, more)).isEqualTo(sample.decoded);
    } else {
      assertThatThrownBy(() -> decodeWhole(sample, more)).isInstanceOf(CorruptException.class);
    }
  }

  private static void assertRightOrCorrupt(Sample sample, byte[] encoded) throws IOException {
    try {
      assertThat(decodeWhole(sample, encoded)).isEqualTo(sample.decoded);
    } catch (CorruptException e) {
      assertThat(e).hasMessageContaining("resource=");
    }
  }

  @ParameterizedTest
  @MethodSource("samples")
  void decode_ofFlippedBitsEndsWithTheRightLengthOrCorrupt(Sample sample) throws IOException {
    Random random = new Random(SEED);
    for (int i = 0; i < 60; i++) {
      byte[] flipped = sample.encoded.clone();
      flipped[random.nextInt(flipped.length)] ^= (byte) (1 << random.nextInt(8));
      try {
        assertThat(decodeWhole(sample, flipped)).hasSize(sample.decoded.length);
      } catch (CorruptException e) {
        assertThat(e).hasMessageContaining("resource=");
      }
    }
  }

  @Test
  void decode_ofZipBombsWritesNoMoreThanAskedFor() throws IOException {
    byte[] zeros = new byte[64 << 20];
    byte[] gzip = gzip(zeros);
    byte[] zstd = Zstd.compress(zeros);
    byte[] zstdWithoutLength = zstdStream(zeros);
    for (ByteBuffer out : roomFor(4096)) {
      DECODER.decode(new ChunkEncoding.GzipMember(), ByteBuffer.wrap(gzip), NO_WINDOW, out);
      assertZerosWithin(out);
    }
    for (byte[] frame : List.of(zstd, zstdWithoutLength)) {
      for (ByteBuffer out : roomFor(4096)) {
        DECODER.decode(new ChunkEncoding.ZstdFrame(), ByteBuffer.wrap(frame), NO_WINDOW, out);
        assertZerosWithin(out);
      }
    }
  }

  private static void assertZerosWithin(ByteBuffer room) {
    assertThat(room.hasRemaining()).isFalse();
    room.clear();
    for (int i = 0; i < room.capacity(); i++) {
      boolean inside = i >= GUARD_BYTES && i < room.capacity() - GUARD_BYTES;
      assertThat(room.get(i)).isEqualTo(inside ? 0 : GUARD);
    }
  }

  /** A window of 2^31 bytes: the library's own limit, but not ours. */
  @Test
  void decode_refusesAZstdWindowOverTheLimit() {
    byte[] frame = HexFormat.of().parseHex("28b52ffd" + "00" + "a8" + "01000061");
    for (ByteBuffer in : buffersOf(frame)) {
      for (ByteBuffer out : roomFor(1)) {
        assertThatThrownBy(() -> DECODER.decode(new ChunkEncoding.ZstdFrame(), in, NO_WINDOW, out))
            .isInstanceOf(CorruptException.class)
            .hasMessageContaining("zstd: Frame requires too much memory");
      }
    }
  }

  @Test
  void decode_refusesGzipWithAnotherChecksumOrLength() throws IOException {
    byte[] gzip = gzip(text(1000));
    for (int at : new int[] {gzip.length - 8, gzip.length - 1}) {
      byte[] changed = gzip.clone();
      changed[at] ^= 1;
      assertThatThrownBy(() ->
              DECODER.decode(
                  new ChunkEncoding.GzipMember(),
                  ByteBuffer.wrap(changed),
                  NO_WINDOW,
                  ByteBuffer.allocate(1000)))
          .isInstanceOf(CorruptException.class)
          .hasMessageContaining("member trailer: CRC 0x");
    }
  }

  @Test
  void decode_skipsAllFieldsOfAGzipHeader() throws IOException {
    GzipParameters parameters = new GzipParameters();
    parameters.setFileName("a name");
    parameters.setComment("a comment");
    parameters.setHeaderCRC(true);
    ByteArrayOutputStream gzip = new ByteArrayOutputStream();
    try (OutputStream out = new GzipCompressorOutputStream(gzip, parameters)) {
      out.write(text(5000));
    }
    ByteBuffer decoded = ByteBuffer.allocate(5000);
    DECODER.decode(
        new ChunkEncoding.GzipMember(), ByteBuffer.wrap(gzip.toByteArray()), NO_WINDOW, decoded);
    assertThat(decoded.array()).isEqualTo(text(5000));
  }

  @Test
  void decode_ofAWholeStreamAsAChunkIsTheCallersFault() {
    assertThatThrownBy(() ->
            DECODER.decode(
                new ChunkEncoding.WholeStream(ChunkEncoding.StreamCompression.GZIP),
                NO_WINDOW,
                NO_WINDOW,
                ByteBuffer.allocate(1)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @EnumSource(ChunkEncoding.StreamCompression.class)
  void decodeStream_readsSeveralMembersAndItsSourceToTheEnd(
      ChunkEncoding.StreamCompression compression) throws IOException {
    byte[] text = text(300_000);
    byte[] encoded =
        switch (compression) {
          case NONE -> concat(text, text);
          case GZIP -> concat(gzip(text), gzip(text));
          case ZSTD -> concat(Zstd.compress(text), Zstd.compress(text));
        };
    InputStream source = new ByteArrayInputStream(encoded);
    try (InputStream decoded = DECODER.decode(new ChunkEncoding.WholeStream(compression), source)) {
      assertThat(decoded.readAllBytes()).isEqualTo(concat(text, text));
      assertThat(source.available()).isZero();
    }
  }

  @ParameterizedTest
  @EnumSource(InflaterLibrary.class)
  void decode_startsAtAnyBitOfAByte(InflaterLibrary library) throws IOException {
    assumeThat(library.problem()).isNull();
    byte[] text = text(20_000);
    for (int i = 4097; i < text.length; i++) {
      text[i] = i % 50 < 40 ? text[i - 4097] : text[i];
    }
    byte[] window = Arrays.copyOf(text, 8_000);
    byte[] content = Arrays.copyOfRange(text, window.length, text.length);
    byte[] more = gzip(content);
    for (int offset = 0; offset < Byte.SIZE; offset++) {
      DeflateWriter deflate = new DeflateWriter();
      deflate.padding(offset);
      byte[] whole = deflate.blocksWithReferences(text, window.length);
      int bits = (8 - offset) % 8;
      ChunkEncoding.DeflateSpan span =
          new ChunkEncoding.DeflateSpan(bits, new ByteRange(0, window.length));
      ChunkEncoding checkpoint = span.after(bits == 0 ? 0 : whole[0] & 0xff);
      byte[] encoded = Arrays.copyOfRange(whole, bits == 0 ? 0 : 1, whole.length);
      byte[] members = concat(new byte[8], concat(more, more));
      byte[] expected = concat(content, concat(content, content));
      EncodingDecoder decoder = new EncodingDecoder(library);
      for (ByteBuffer out : roomFor(expected.length)) {
        byte[] in = concat(encoded, members);
        decoder.decode(checkpoint, ByteBuffer.wrap(in), ByteBuffer.wrap(window), out);
        assertThat(filled(out, expected.length)).isEqualTo(expected);
        out.clear();
        assertThat(out.get(GUARD_BYTES + expected.length)).isEqualTo(GUARD);
      }
      for (ByteBuffer out : roomFor(expected.length)) {
        byte[] in = concat(whole, members);
        decoder.decode(span, ByteBuffer.wrap(in), ByteBuffer.wrap(window), out);
        assertThat(filled(out, expected.length)).isEqualTo(expected);
      }
      assertThatThrownBy(() ->
              decoder.decode(
                  checkpoint,
                  ByteBuffer.wrap(encoded, 0, encoded.length / 2),
                  ByteBuffer.wrap(window),
                  ByteBuffer.allocate(content.length)))
          .isInstanceOf(CorruptException.class)
          .hasMessageContaining("ends inside a block");
    }
  }

  @Test
  void decode_spanWithoutItsFirstByte_isCorrupt() {
    ChunkEncoding span = new ChunkEncoding.DeflateSpan(3, new ByteRange(0, 0));
    assertThatThrownBy(() -> DECODER.decode(span, NO_WINDOW, NO_WINDOW, ByteBuffer.allocate(1)))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("no byte for the first 3 bits");
  }

  /** What was put before the position. */
  private static byte[] filled(ByteBuffer out, int length) {
    byte[] found = new byte[length];
    out.get(out.position() - length, found);
    return found;
  }

  private static byte[] decodeWhole(Sample sample, byte[] encoded) throws IOException {
    ByteBuffer out = ByteBuffer.allocate(sample.decoded.length);
    sample.decoder.decode(sample.encoding, ByteBuffer.wrap(encoded), NO_WINDOW, out);
    return out.array();
  }

  static byte[] text(int length) {
    Random random = new Random(SEED);
    byte[] text = new byte[length];
    for (int i = 0; i < length; i++) {
      text[i] = i > 200 && random.nextInt(20) > 0 ? text[i - 1 - i % 150] : (byte) random.nextInt();
    }
    return text;
  }

  private static byte[] gzip(byte[] bytes) throws IOException {
    ByteArrayOutputStream gzip = new ByteArrayOutputStream();
    try (OutputStream out = new GzipCompressorOutputStream(gzip)) {
      out.write(bytes);
    }
    return gzip.toByteArray();
  }

  /** A frame as streams are written: it does not say its length. */
  private static byte[] zstdStream(byte[] bytes) throws IOException {
    ByteArrayOutputStream frame = new ByteArrayOutputStream();
    try (ZstdOutputStream out = new ZstdOutputStream(frame).setChecksum(true)) {
      out.write(bytes);
    }
    return frame.toByteArray();
  }

  private static byte[] concat(byte[] a, byte[] b) {
    byte[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }

  private static final byte GUARD = 0x5a;
  private static final int GUARD_BYTES = 16;

  /** At least a gzip trailer or a zstd checksum, and the end of a last block. */
  private static final int TAIL_BYTES = 12;

  /** Heap and direct buffers with bytes before and after that nobody may touch. */
  private static List<ByteBuffer> roomFor(int length) {
    List<ByteBuffer> rooms =
        List.of(
            ByteBuffer.allocate(length + 2 * GUARD_BYTES),
            ByteBuffer.allocateDirect(length + 2 * GUARD_BYTES));
    for (ByteBuffer room : rooms) {
      for (int i = 0; i < room.capacity(); i++) {
        room.put(i, GUARD);
      }
      room.position(GUARD_BYTES).limit(GUARD_BYTES + length);
    }
    return rooms;
  }

  private static List<ByteBuffer> buffersOf(byte[] bytes) {
    byte[] shifted = new byte[bytes.length + 3];
    System.arraycopy(bytes, 0, shifted, 3, bytes.length);
    return List.of(
        ByteBuffer.wrap(shifted, 3, bytes.length),
        ByteBuffer.wrap(shifted, 3, bytes.length).asReadOnlyBuffer(),
        ByteBuffer.allocateDirect(shifted.length).put(shifted).flip().position(3));
  }
}

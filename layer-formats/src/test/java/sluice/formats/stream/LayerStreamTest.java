package sluice.formats.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.Zstd;
import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.CRC32;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import sluice.core.ChunkEncoding.StreamCompression;
import sluice.core.CorruptException;

class LayerStreamTest {

  private static final byte[] CONTENT = content(300_000);

  @ParameterizedTest
  @EnumSource(StreamCompression.class)
  void open_givesTheContent(StreamCompression compression) throws IOException {
    assertThat(decode(compression, encode(compression, CONTENT))).isEqualTo(CONTENT);
  }

  @ParameterizedTest
  @EnumSource(StreamCompression.class)
  void open_manyPartsFromASlowSource_givesAllOfThem(StreamCompression compression)
      throws IOException {
    ByteArrayOutputStream encoded = new ByteArrayOutputStream();
    ByteArrayOutputStream expected = new ByteArrayOutputStream();
    for (int length : new int[] {0, 1, 100, 70_000, 0, 131_072}) {
      encoded.writeBytes(encode(compression, Arrays.copyOf(CONTENT, length)));
      expected.write(CONTENT, 0, length);
    }
    InputStream slow = new Trickle(encoded.toByteArray());
    try (InputStream decoded = LayerStream.open(compression, slow, "layer x")) {
      assertThat(decoded.readAllBytes()).isEqualTo(expected.toByteArray());
    }
    assertThat(slow.read()).as("the source is at its end").isNegative();
  }

  @Test
  void open_gzipHeaderWithEveryField_isRead() throws IOException {
    byte[] plain = encode(StreamCompression.GZIP, CONTENT);
    ByteArrayOutputStream header = new ByteArrayOutputStream();
    header.writeBytes(HexFormat.of().parseHex("1f8b081e00000000" + "00ff" + "0300" + "616263"));
    header.writeBytes("name\0comment\0".getBytes(StandardCharsets.US_ASCII));
    CRC32 crc = new CRC32();
    crc.update(header.toByteArray());
    ByteArrayOutputStream member = new ByteArrayOutputStream();
    member.writeBytes(header.toByteArray());
    member.write((int) crc.getValue());
    member.write((int) crc.getValue() >> 8);
    member.write(plain, 10, plain.length - 10);

    assertThat(decode(StreamCompression.GZIP, member.toByteArray())).isEqualTo(CONTENT);
    byte[] wrong = member.toByteArray();
    wrong[header.size()] ^= 1;
    assertThatThrownBy(() -> decode(StreamCompression.GZIP, wrong))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("member header: CRC");
  }

  @ParameterizedTest
  @ValueSource(strings = {"00", "1f8b", "00000000000000000000", "1f8b09", "6a756e6b6a756e6b"})
  void open_gzipWithSomethingBehind_isRefused(String behind) throws IOException {
    byte[] encoded = concat(encode(StreamCompression.GZIP, CONTENT), hex(behind));
    assertThatThrownBy(() -> decode(StreamCompression.GZIP, encoded))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("gzip: ")
        .hasMessageContaining("resource=layer x, offset=");
  }

  @Test
  void open_zstdWithSkippableFrames_skipsThem() throws IOException {
    byte[] skippable = hex("5e2a4d18" + "03000000" + "010203");
    byte[] frame = Zstd.compress(CONTENT);
    byte[] encoded = concat(concat(skippable, frame), concat(skippable, frame));
    assertThat(decode(StreamCompression.ZSTD, encoded)).isEqualTo(concat(CONTENT, CONTENT));
    assertThat(LayerStream.detect(buffered(encoded))).isEqualTo(StreamCompression.ZSTD);
  }

  @Test
  void open_zstdWithGarbageBehind_isRefused() {
    byte[] encoded = concat(Zstd.compress(CONTENT), hex("6a756e6b6a756e6b6a756e6b"));
    assertThatThrownBy(() -> decode(StreamCompression.ZSTD, encoded))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("zstd: ");
  }

  @ParameterizedTest
  @EnumSource(
      value = StreamCompression.class,
      names = {"GZIP", "ZSTD"})
  void open_truncatedAnywhere_isRefused(StreamCompression compression) throws IOException {
    byte[] encoded = encode(compression, Arrays.copyOf(CONTENT, 2_000));
    for (int length = 1; length < encoded.length; length++) {
      byte[] cut = Arrays.copyOf(encoded, length);
      assertThatThrownBy(() -> decode(compression, cut))
          .as("%d of %d bytes", length, encoded.length)
          .isInstanceOf(CorruptException.class);
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void open_flippedBits_neverGivesOtherContentAsGzip(long seed) throws IOException {
    byte[] encoded = encode(StreamCompression.GZIP, Arrays.copyOf(CONTENT, 5_000));
    Random random = new Random(seed);
    for (int i = 0; i < 500; i++) {
      byte[] flipped = encoded.clone();
      flipped[random.nextInt(flipped.length)] ^= (byte) (1 << random.nextInt(8));
      try {
        assertThat(decode(StreamCompression.GZIP, flipped))
            .isEqualTo(Arrays.copyOf(CONTENT, 5_000));
      } catch (CorruptException e) {
        assertThat(e).hasMessageStartingWith("gzip: ");
      }
    }
  }

  @ParameterizedTest
  @EnumSource(StreamCompression.class)
  void detect_tellsByTheFirstBytes_andLeavesThem(StreamCompression compression) throws IOException {
    byte[] encoded = encode(compression, CONTENT);
    BufferedInputStream stream = buffered(encoded);
    assertThat(LayerStream.detect(stream)).isEqualTo(compression);
    assertThat(stream.readAllBytes()).isEqualTo(encoded);
    assertThat(LayerStream.detect(buffered(new byte[0]))).isEqualTo(StreamCompression.NONE);
  }

  @ParameterizedTest
  @EnumSource(StreamCompression.class)
  void close_closesTheSourceOnce(StreamCompression compression) throws IOException {
    AtomicInteger closed = new AtomicInteger();
    InputStream source =
        new ByteArrayInputStream(encode(compression, CONTENT)) {
          @Override
          public void close() {
            closed.incrementAndGet();
          }
        };
    try (InputStream decoded = LayerStream.open(compression, source, "layer x")) {
      assertThat(decoded.read()).isEqualTo(CONTENT[0] & 0xff);
    }
    assertThat(closed).hasValue(1);
  }

  private static byte[] decode(StreamCompression compression, byte[] encoded) throws IOException {
    try (InputStream decoded =
        LayerStream.open(compression, new ByteArrayInputStream(encoded), "layer x")) {
      return decoded.readAllBytes();
    }
  }

  private static byte[] encode(StreamCompression compression, byte[] content) throws IOException {
    return switch (compression) {
      case NONE -> content;
      case ZSTD -> Zstd.compress(content);
      case GZIP -> {
        ByteArrayOutputStream encoded = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(encoded)) {
          gzip.write(content);
        }
        yield encoded.toByteArray();
      }
    };
  }

  /** Half noise, half text, so that there are stored and compressed blocks. */
  private static byte[] content(int length) {
    byte[] content = new byte[length];
    new Random(7).nextBytes(content);
    Arrays.fill(content, length / 2, length, (byte) 'a');
    return content;
  }

  private static BufferedInputStream buffered(byte[] bytes) {
    return new BufferedInputStream(new ByteArrayInputStream(bytes));
  }

  private static byte[] hex(String text) {
    return HexFormat.of().parseHex(text);
  }

  private static byte[] concat(byte[] a, byte[] b) {
    byte[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }

  /** A source as a network is one: it gives a few bytes at a time and never says how many. */
  private static final class Trickle extends InputStream {
    private final InputStream bytes;

    Trickle(byte[] bytes) {
      this.bytes = new ByteArrayInputStream(bytes);
    }

    @Override
    public int read() throws IOException {
      return bytes.read();
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      return bytes.read(into, offset, Math.min(length, 1013));
    }

    @Override
    public int available() {
      return 0;
    }
  }
}

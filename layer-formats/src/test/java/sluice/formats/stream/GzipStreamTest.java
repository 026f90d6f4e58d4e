package sluice.formats.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import sluice.core.ChunkEncoding.StreamCompression;
import sluice.core.CorruptException;
import sluice.formats.inflate.InflaterLibrary;

/** Streams of gzip members, by each inflater. */
class GzipStreamTest {

  private static final int[] LENGTHS = {0, 1, 2, 0, 700, 70_000, 0, 300_000, 3};

  @ParameterizedTest
  @EnumSource(InflaterLibrary.class)
  void read_givesAllMembersWhateverTheSourceAndTheReadsAreLike(InflaterLibrary library)
      throws IOException {
    byte[] content = content(300_000);
    ByteArrayOutputStream encoded = new ByteArrayOutputStream();
    ByteArrayOutputStream expected = new ByteArrayOutputStream();
    for (int length : LENGTHS) {
      encoded.writeBytes(gzip(Arrays.copyOf(content, length)));
      expected.write(content, 0, length);
    }
    for (int most : new int[] {1, 9, 65_000, 1 << 20}) {
      for (int room : new int[] {1, 512, 32 << 10, 256 << 10}) {
        InputStream source = new Pieces(encoded.toByteArray(), most);
        try (InputStream decoded = open(library, source)) {
          ByteArrayOutputStream found = new ByteArrayOutputStream();
          byte[] block = new byte[room + 2];
          for (int read; (read = decoded.read(block, 1, room)) >= 0; ) {
            assertThat(read).isBetween(1, room);
            found.write(block, 1, read);
          }
          assertThat(found.toByteArray()).isEqualTo(expected.toByteArray());
          assertThat(decoded.read(block, 1, room)).isNegative();
          assertThat(block[0] + block[room + 1]).isZero();
          assertThat(source.read()).as("the source is at its end").isNegative();
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(InflaterLibrary.class)
  void read_ofTruncatedMembersIsRefused(InflaterLibrary library) throws IOException {
    byte[] encoded = concat(gzip(content(900)), gzip(content(50)));
    int first = gzip(content(900)).length;
    for (int length = 0; length < encoded.length; length++) {
      byte[] cut = Arrays.copyOf(encoded, length);
      if (length != first) {
        assertThatThrownBy(() -> readAll(library, cut))
            .as("%d of %d bytes", length, encoded.length)
            .isInstanceOf(CorruptException.class)
            .hasMessageContaining("offset=");
      }
    }
  }

  @ParameterizedTest
  @EnumSource(InflaterLibrary.class)
  void read_ofFlippedBitsNeverGivesOtherContent(InflaterLibrary library) throws IOException {
    byte[] content = content(60_000);
    byte[] encoded = gzip(content);
    Random random = new Random(3);
    for (int i = 0; i < 400; i++) {
      byte[] flipped = encoded.clone();
      flipped[random.nextInt(flipped.length)] ^= (byte) (1 << random.nextInt(8));
      try {
        assertThat(readAll(library, flipped)).isEqualTo(content);
      } catch (CorruptException e) {
        assertThat(e).hasMessageStartingWith("gzip: ");
        assertThat(e.offset()).isBetween(0L, (long) encoded.length);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(InflaterLibrary.class)
  void read_ofAnotherTrailerIsRefused(InflaterLibrary library) throws IOException {
    byte[] encoded = gzip(content(100_000));
    for (int i = 1; i <= 8; i++) {
      byte[] changed = encoded.clone();
      changed[changed.length - i] ^= 1;
      assertThatThrownBy(() -> readAll(library, changed))
          .isInstanceOf(CorruptException.class)
          .hasMessageContaining("gzip: member: ")
          .hasMessageContaining("expected");
    }
  }

  private static byte[] readAll(InflaterLibrary library, byte[] encoded) throws IOException {
    try (InputStream decoded = open(library, new ByteArrayInputStream(encoded))) {
      return decoded.readAllBytes();
    }
  }

  private static InputStream open(InflaterLibrary library, InputStream source) throws IOException {
    assumeThat(library.problem()).isNull();
    return LayerStream.open(StreamCompression.GZIP, source, "layer x", library);
  }

  private static byte[] gzip(byte[] content) throws IOException {
    ByteArrayOutputStream encoded = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(encoded)) {
      gzip.write(content);
    }
    return encoded.toByteArray();
  }

  /** Noise and words, so that there are blocks of each kind. */
  private static byte[] content(int length) {
    byte[] content = new byte[length];
    Random random = new Random(7);
    random.nextBytes(content);
    for (int i = length / 3; i < length; i++) {
      content[i] = random.nextInt(10) > 0 && i > 250 ? content[i - 1 - i % 240] : content[i];
    }
    return content;
  }

  private static byte[] concat(byte[] a, byte[] b) {
    byte[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }

  /** A source that gives a few bytes at a time. */
  private static final class Pieces extends InputStream {
    private final ByteArrayInputStream bytes;
    private final int most;

    Pieces(byte[] bytes, int most) {
      this.bytes = new ByteArrayInputStream(bytes);
      this.most = most;
    }

    @Override
    public int read() {
      return bytes.read();
    }

    @Override
    public int read(byte[] into, int offset, int length) {
      return bytes.read(into, offset, Math.min(length, most));
    }
  }
}

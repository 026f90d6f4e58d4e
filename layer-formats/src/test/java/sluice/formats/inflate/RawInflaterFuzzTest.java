package sluice.formats.inflate;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.stream.Stream;
import java.util.zip.DataFormatException;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Any bytes through each inflater, in memory that ends where the bytes do: native code touches
 * nothing else, and puts out what the JDK puts out.
 */
class RawInflaterFuzzTest {

  private static final int MAX_ENCODED_BYTES = 256 * 1024;
  private static final int MAX_DECODED_BYTES = 512 * 1024;

  static Stream<byte[]> seeds() {
    return Stream.concat(
        Stream.of(new byte[0], new byte[] {3, 0}),
        Deflated.samples().stream()
            .filter(sample -> sample.encoded().length < 100_000)
            .map(Deflated::encoded));
  }

  @MethodSource("seeds")
  @FuzzTest(maxDuration = "10m")
  void inflate_anyBytes(byte[] bytes) throws Throwable {
    if (bytes.length > MAX_ENCODED_BYTES) {
      return;
    }
    int bits = bytes.length % Byte.SIZE;
    int room = bytes.length % 3 == 0 ? 1000 : MAX_DECODED_BYTES;
    try (GuardedMemory in = new GuardedMemory(MAX_ENCODED_BYTES);
        GuardedMemory out = new GuardedMemory(MAX_DECODED_BYTES);
        RawInflater jdk = InflaterLibrary.JDK.open()) {
      ByteBuffer expected = ByteBuffer.allocate(room);
      boolean valid = inflate(jdk, bits, ByteBuffer.wrap(bytes), expected, 1 << 20);
      for (InflaterLibrary library : InflaterLibrary.values()) {
        if (library.present()) {
          try (RawInflater inflater = library.open()) {
            ByteBuffer encoded = in.last(bytes.length).put(bytes).flip();
            ByteBuffer decoded = out.last(room);
            int pieces = bytes.length % 2 == 0 ? 1 << 20 : 977;
            boolean taken = inflate(inflater, bits, encoded, decoded, pieces);
            assertSame(valid && taken, decoded, expected);
            ByteBuffer again = out.first(room);
            taken =
                inflate(inflater, bits, in.first(bytes.length).put(bytes).flip(), again, 1 << 20);
            assertSame(valid && taken, again, expected);
          }
        }
      }
    }
  }

  /** Of two that took it, one is no shorter than the other; of others one is the beginning. */
  private static void assertSame(boolean taken, ByteBuffer found, ByteBuffer expected) {
    int common = Math.min(found.position(), expected.position());
    if (taken) {
      assertThat(found.position()).isEqualTo(expected.position());
    }
    assertThat(found.slice(0, common)).isEqualTo(expected.slice(0, common));
  }

  /** Returns whether nothing was refused. */
  private static boolean inflate(
      RawInflater inflater, int bits, ByteBuffer encoded, ByteBuffer decoded, int pieceBytes) {
    inflater.start(encoded.hasRemaining() ? encoded.get(0) & 0xff : 0, bits, window());
    int end = encoded.limit();
    try {
      while (true) {
        int before = encoded.position() + decoded.position();
        encoded.limit(Math.min(end, encoded.position() + pieceBytes));
        boolean ended = inflater.inflate(encoded, decoded);
        assertThat(encoded.position()).isBetween(0, end);
        if (ended || !decoded.hasRemaining()) {
          return true;
        }
        if (encoded.position() + decoded.position() == before && encoded.position() == end) {
          return true;
        }
      }
    } catch (DataFormatException e) {
      return false;
    }
  }

  private static ByteBuffer window() {
    byte[] window = new byte[1000];
    Arrays.fill(window, (byte) 7);
    return ByteBuffer.wrap(window);
  }
}

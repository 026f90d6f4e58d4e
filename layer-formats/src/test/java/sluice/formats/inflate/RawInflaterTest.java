package sluice.formats.inflate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What is asked of each inflater; the JDK's is the measure. */
class RawInflaterTest {

  private static final byte GUARD = 0x5a;
  private static final int GUARD_BYTES = 64;

  static Stream<Arguments> samples() {
    return Stream.of(InflaterLibrary.values())
        .flatMap(
            library -> Deflated.samples().stream().map(sample -> Arguments.of(library, sample)));
  }

  @Test
  void present_isSaidOfWhatEachHostHas() {
    assertThat(InflaterLibrary.JDK.present()).isTrue();
    assertThat(InflaterLibrary.LIBZ.problem()).isNull();
    assertThat(InflaterLibrary.fastest().present()).isTrue();
  }

  @ParameterizedTest
  @MethodSource("samples")
  void inflate_givesTheContentAndStopsBehindTheStream(InflaterLibrary library, Deflated sample)
      throws DataFormatException {
    byte[] encoded = Arrays.copyOf(sample.encoded(), sample.encoded().length + 20);
    Arrays.fill(encoded, sample.encoded().length, encoded.length, (byte) 0xff);
    try (RawInflater inflater = open(library)) {
      for (ByteBuffer in : buffersOf(encoded)) {
        int start = in.position();
        for (ByteBuffer out : roomFor(sample.content().length + 1)) {
          inflater.start();
          assertThat(inflater.inflate(in.position(start), out)).isTrue();
          assertThat(in.position() - start).isEqualTo(sample.encoded().length);
          assertThat(out.remaining()).isEqualTo(1);
          assertThat(content(out, sample.content().length)).isEqualTo(sample.content());
          assertGuards(out);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("samples")
  void inflate_takesAndGivesPiecesOfAnyLength(InflaterLibrary library, Deflated sample)
      throws DataFormatException {
    Random random = new Random(5);
    int[] lengths = {1, 2, 7, 100, 5_000, 40_000, 70_000, 300_000};
    try (RawInflater inflater = open(library)) {
      for (int round = 0; round < 4; round++) {
        ByteBuffer in = ByteBuffer.allocateDirect(sample.encoded().length + 9);
        in.put(sample.encoded()).clear();
        ByteBuffer out = ByteBuffer.allocate(sample.content().length + 1);
        inflater.start();
        boolean ended = false;
        in.limit(0);
        out.limit(0);
        while (!ended) {
          int before = in.position() + out.position();
          ended = inflater.inflate(in, out);
          if (!ended && in.position() + out.position() == before) {
            int most = round < 2 ? 4 : lengths.length;
            in.limit(Math.min(in.capacity(), in.position() + lengths[random.nextInt(most)]));
            out.limit(Math.min(out.capacity(), out.position() + lengths[random.nextInt(most)]));
          }
        }
        assertThat(in.position()).isEqualTo(sample.encoded().length);
        assertThat(out.position()).isEqualTo(sample.content().length);
        assertThat(Arrays.copyOf(out.array(), out.position())).isEqualTo(sample.content());
        if (sample.content().length > 100_000 && round == 1) {
          break;
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(InflaterLibrary.class)
  void start_atAnyBitWithAnyWindow(InflaterLibrary library) throws DataFormatException {
    byte[] text = Deflated.text(500_000);
    try (RawInflater inflater = open(library)) {
      for (int windowBytes : new int[] {0, 1, 1000, 32_767, 32_768}) {
        byte[] window = Arrays.copyOf(text, windowBytes);
        byte[] content = Arrays.copyOfRange(text, windowBytes, text.length);
        byte[] encoded = Deflated.deflate(content, 9, Deflater.DEFAULT_STRATEGY, window);
        for (int bits = 0; bits < Byte.SIZE; bits++) {
          byte[] shifted = shift(encoded, bits == 0 ? 0 : Byte.SIZE - bits);
          for (ByteBuffer in : buffersOf(shifted)) {
            int first = bits == 0 ? 0 : in.get() & 0xff;
            for (ByteBuffer out : roomFor(content.length)) {
              ByteBuffer again = in.duplicate();
              ByteBuffer given = ByteBuffer.wrap(window).asReadOnlyBuffer();
              inflater.start(first, bits, given);
              inflater.inflate(again, out);
              assertThat(given.position()).isZero();
              assertThat(out.hasRemaining()).isFalse();
              assertThat(content(out, content.length)).isEqualTo(content);
              assertGuards(out);
            }
          }
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("samples")
  void inflate_ofTruncatedInputAsksForMore(InflaterLibrary library, Deflated sample)
      throws DataFormatException {
    try (RawInflater inflater = open(library)) {
      int step = Math.max(1, sample.encoded().length / 20);
      for (int length = 0; length < sample.encoded().length; length += step) {
        ByteBuffer in = ByteBuffer.allocateDirect(length).put(sample.encoded(), 0, length).flip();
        ByteBuffer out = ByteBuffer.allocate(sample.content().length + 1);
        inflater.start();
        assertThat(inflater.inflate(in, out)).as("%d bytes", length).isFalse();
        byte[] found = Arrays.copyOf(out.array(), out.position());
        assertThat(found).isEqualTo(Arrays.copyOf(sample.content(), found.length));
      }
    }
  }

  /** RFC 1951: what no inflater may take. */
  @ParameterizedTest
  @EnumSource(InflaterLibrary.class)
  void inflate_refusesWhatIsNotDeflate(InflaterLibrary library) {
    List<Bits> bad = new ArrayList<>();
    bad.add(new Bits().put(1, 1).put(3, 2)); // a block of the reserved type
    bad.add(new Bits().put(1, 1).put(0, 2).put(0, 5).put(5, 16).put(5, 16)); // NLEN
    bad.add(new Bits().put(3, 3).code(0b0000001, 7).code(0, 5)); // a distance before the start
    bad.add(new Bits().put(3, 3).code(0b0000001, 7).code(30, 5)); // no such distance
    bad.add(new Bits().put(3, 3).code(0b11000110, 8)); // no such length
    bad.add(new Bits().put(5, 3).put(30, 5).put(0, 5).put(0, 4)); // too many literal codes
    bad.add(new Bits().put(5, 3).put(0, 5).put(30, 5).put(0, 4)); // too many distance codes
    bad.add(new Bits().put(5, 3).put(0, 10).put(0, 4).put(01111, 12)); // too many of length 1
    try (RawInflater inflater = open(library)) {
      for (int i = 0; i < bad.size(); i++) {
        byte[] encoded = bad.get(i).bytes();
        for (ByteBuffer in : buffersOf(encoded)) {
          for (ByteBuffer out : roomFor(1000)) {
            inflater.start();
            assertThatExceptionOfType(DataFormatException.class)
                .as("case %d", i)
                .isThrownBy(() -> inflater.inflate(in, out));
            assertGuards(out);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(InflaterLibrary.class)
  void start_withBitsThatAreNoDeflate_isRefusedWhenItGoesOn(InflaterLibrary library) {
    try (RawInflater inflater = open(library)) {
      for (int bits = 3; bits < Byte.SIZE; bits++) {
        int first = 0b110 << (Byte.SIZE - bits);
        inflater.start(first, bits, ByteBuffer.allocate(10));
        assertThatExceptionOfType(DataFormatException.class)
            .isThrownBy(() -> inflater.inflate(ByteBuffer.allocate(50), ByteBuffer.allocate(50)));
      }
    }
  }

  /** Either the same bytes as the JDK's, or refused by both. */
  @ParameterizedTest
  @EnumSource(InflaterLibrary.class)
  void inflate_ofFlippedBitsDoesAsTheJdk(InflaterLibrary library) {
    Random random = new Random(11);
    int refused = 0;
    try (RawInflater inflater = open(library);
        RawInflater jdk = InflaterLibrary.JDK.open()) {
      for (Deflated sample : Deflated.samples()) {
        for (int i = 0; i < 300 && sample.content().length < 100_000; i++) {
          byte[] flipped = sample.encoded().clone();
          // Half of them among the codes that the first block begins with.
          int within = i % 2 == 0 ? flipped.length : Math.min(60, flipped.length);
          flipped[random.nextInt(within)] ^= (byte) (1 << random.nextInt(8));
          Outcome expected = decode(jdk, flipped);
          Outcome found = decode(inflater, flipped);
          refused += expected.refused() ? 1 : 0;
          if (library != InflaterLibrary.ISAL || !expected.incompleteCodes()) {
            assertThat(found.content).as("%s, flip %d", sample, i).isEqualTo(expected.content);
          }
        }
      }
    }
    assertThat(refused).isPositive();
  }

  /**
   * What an inflater makes of something.
   *
   * @param content whether the stream has ended, and the content; nothing if it is refused
   */
  private record Outcome(Optional<ByteBuffer> content, String problem) {
    boolean refused() {
      return content.isEmpty();
    }

    /** As {@link RawInflater} says, ISA-L takes a set of codes that lacks some. */
    boolean incompleteCodes() {
      return problem.matches("invalid (code lengths|literal/lengths|distances) set");
    }
  }

  private static Outcome decode(RawInflater inflater, byte[] encoded) {
    ByteBuffer out = roomFor(200_000).getFirst();
    inflater.start();
    try {
      boolean ended = inflater.inflate(ByteBuffer.wrap(encoded), out);
      ByteArrayOutputStream result = new ByteArrayOutputStream();
      result.write(ended ? 1 : 0);
      result.writeBytes(content(out, out.position() - GUARD_BYTES));
      return new Outcome(Optional.of(ByteBuffer.wrap(result.toByteArray())), "");
    } catch (DataFormatException e) {
      return new Outcome(Optional.empty(), String.valueOf(e.getMessage()));
    } finally {
      assertGuards(out);
    }
  }

  private static RawInflater open(InflaterLibrary library) {
    assumeThat(library.problem()).isNull();
    return library.open();
  }

  /** The same bits, {@code by} bits later. */
  private static byte[] shift(byte[] bytes, int by) {
    Bits bits = new Bits().put((1 << by) - 1, by);
    for (byte each : bytes) {
      bits.put(each & 0xff, Byte.SIZE);
    }
    return bits.bytes();
  }

  private static List<ByteBuffer> buffersOf(byte[] bytes) {
    byte[] moved = new byte[bytes.length + 3];
    System.arraycopy(bytes, 0, moved, 3, bytes.length);
    return List.of(
        ByteBuffer.wrap(moved, 3, bytes.length),
        ByteBuffer.wrap(moved, 3, bytes.length).asReadOnlyBuffer(),
        ByteBuffer.allocateDirect(moved.length).put(moved).flip().position(3));
  }

  private static List<ByteBuffer> roomFor(int length) {
    int capacity = length + 2 * GUARD_BYTES;
    List<ByteBuffer> rooms =
        List.of(ByteBuffer.allocate(capacity), ByteBuffer.allocateDirect(capacity));
    byte[] guards = new byte[capacity];
    Arrays.fill(guards, GUARD);
    rooms.forEach(room -> room.put(guards).position(GUARD_BYTES).limit(GUARD_BYTES + length));
    return rooms;
  }

  private static byte[] content(ByteBuffer room, int length) {
    byte[] content = new byte[length];
    room.get(GUARD_BYTES, content);
    return content;
  }

  private static void assertGuards(ByteBuffer room) {
    ByteBuffer all = room.duplicate().clear();
    for (int i = 0; i < GUARD_BYTES; i++) {
      assertThat(all.get(i)).as("byte before").isEqualTo(GUARD);
      assertThat(all.get(all.capacity() - 1 - i)).as("byte after").isEqualTo(GUARD);
    }
  }

  /** Bits as deflate packs them: from the lowest of each byte on. */
  private static final class Bits {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private long pending;
    private int count;

    Bits put(int value, int bits) {
      pending |= (long) value << count;
      count += bits;
      while (count >= Byte.SIZE) {
        out.write((int) pending);
        pending >>>= Byte.SIZE;
        count -= Byte.SIZE;
      }
      return this;
    }

    /** A Huffman code, which goes from its highest bit on. */
    Bits code(int value, int bits) {
      return put(Integer.reverse(value) >>> (Integer.SIZE - bits), bits);
    }

    byte[] bytes() {
      put(0, 7);
      for (int i = 0; i < 40; i++) {
        out.write(0);
      }
      return out.toByteArray();
    }
  }
}

package sluice.formats.inflate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import sluice.core.ChunkEncoding.StreamCompression;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.formats.stream.LayerStream;
import sluice.testing.Fixtures;

class CheckpointPassTest {

  private static final int SPAN_BYTES = 64 * 1024;

  static Stream<String> images() {
    return Fixtures.IMAGES.stream();
  }

  /** What SOCI's own tool made of the same layers is compared in the package of its format. */
  @ParameterizedTest
  @MethodSource("images")
  void feed_anyLayerOfTheFixtures_givesSpansThatDecodeAlone(String image) throws IOException {
    Fixtures fixtures = Fixtures.of(image);
    int most = 0;
    for (Descriptor layer : fixtures.document(Fixtures.SOURCE).layers()) {
      byte[] blob = Files.readAllBytes(fixtures.blob(layer.digest()));
      if (blob.length > 2 && blob[0] == 0x1f && blob[1] == (byte) 0x8b) {
        Recorded recorded = Recorded.of(blob, SPAN_BYTES, 1 << 16);
        recorded.assertSpans(blob, stream(blob));
        most = Math.max(most, recorded.checkpoints().size());
      }
    }
    assertThat(most).isPositive();
  }

  @Test
  void feed_piecesOfAnyLength_findTheSame() throws IOException {
    byte[] tar = Deflated.text(1_000_000);
    byte[] blob = Recorded.gzip(tar);
    Recorded whole = Recorded.of(blob, SPAN_BYTES, blob.length);
    whole.assertSpans(blob, tar);
    assertThat(whole.checkpoints()).hasSizeGreaterThan(5);
    assertThat(whole.checkpoints()).anyMatch(at -> at.bits() > 0);
    for (int piece : new int[] {1, 7, 1000, 70_001}) {
      Recorded pieces = Recorded.of(blob, SPAN_BYTES, piece);
      assertThat(pieces.checkpoints()).isEqualTo(whole.checkpoints());
      assertThat(pieces.digests()).isEqualTo(whole.digests());
    }
  }

  @Test
  void feed_checkpointsAreMoreThanASpanApart() throws IOException {
    byte[] tar = Deflated.text(2_000_000);
    byte[] blob = Recorded.gzip(tar);
    for (int spanBytes : new int[] {32 * 1024, 100_000, 1 << 20, 1 << 24}) {
      List<Recorded.Checkpoint> found = Recorded.of(blob, spanBytes, blob.length).checkpoints();
      assertThat(found.getFirst().tarOffset()).isZero();
      assertThat(found.getFirst().blobOffset()).isEqualTo(10);
      assertThat(found.getFirst().bits()).isZero();
      for (int i = 1; i < found.size(); i++) {
        assertThat(found.get(i).tarOffset() - found.get(i - 1).tarOffset())
            .isGreaterThan(spanBytes);
      }
      assertThat(found.size() > 1).isEqualTo(spanBytes < tar.length);
    }
  }

  /** A span may begin in one member and end in the next; the header there is a place, too. */
  @Test
  void feed_severalMembers_goesOnInTheNext() throws IOException {
    ByteArrayOutputStream blob = new ByteArrayOutputStream();
    ByteArrayOutputStream tar = new ByteArrayOutputStream();
    for (int length : new int[] {0, 10, 100_000, 0, 300_000, 40_000, 40_000, 1, 0}) {
      // Zeros are one block: no place for a checkpoint but the next member's beginning.
      byte[] content = length == 100_000 ? new byte[length] : Deflated.text(length);
      tar.writeBytes(content);
      blob.writeBytes(Recorded.gzip(content));
    }
    Recorded recorded = Recorded.of(blob.toByteArray(), SPAN_BYTES, 3000);
    recorded.assertSpans(blob.toByteArray(), tar.toByteArray());
    assertThat(recorded.checkpoints()).anyMatch(at -> at.tarOffset() == 100_010 && at.bits() == 0);
  }

  @Test
  void feed_emptyBlocksAtTheBeginning_areOneCheckpoint() throws IOException {
    byte[] member = Recorded.gzip("content".getBytes(StandardCharsets.UTF_8));
    ByteArrayOutputStream blob = new ByteArrayOutputStream();
    blob.write(member, 0, 10);
    for (int i = 0; i < 5; i++) {
      blob.writeBytes(HexFormat.of().parseHex("000000ffff"));
    }
    blob.write(member, 10, member.length - 10);
    Recorded recorded = Recorded.of(blob.toByteArray(), SPAN_BYTES, 4);
    assertThat(recorded.checkpoints()).hasSize(1);
    recorded.assertSpans(blob.toByteArray(), stream(blob.toByteArray()));
  }

  @Test
  void finish_anywhereButAtAMembersEnd_isRefused() throws IOException {
    byte[] member = Recorded.gzip(Deflated.text(3000));
    byte[] blob = Arrays.copyOf(member, 2 * member.length);
    System.arraycopy(member, 0, blob, member.length, member.length);
    for (int length = 0; length < blob.length; length++) {
      if (length != member.length) {
        byte[] cut = Arrays.copyOf(blob, length);
        assertThatExceptionOfType(CorruptException.class)
            .as("%d bytes", length)
            .isThrownBy(() -> Recorded.of(cut, SPAN_BYTES, 100))
            .withMessageContaining("resource=layer x, offset=" + length);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"00", "1f8b09", "00000000000000000000", "6a756e6b6a756e6b"})
  void feed_somethingBehindTheLastMember_isRefused(String behind) {
    byte[] member = Recorded.gzip(Deflated.text(1000));
    byte[] tail = HexFormat.of().parseHex(behind);
    byte[] blob = Arrays.copyOf(member, member.length + tail.length);
    System.arraycopy(tail, 0, blob, member.length, tail.length);
    assertThatThrownBy(() -> Recorded.of(blob, SPAN_BYTES, 100))
        .isInstanceOf(CorruptException.class)
        .hasMessageStartingWith("gzip: ");
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void feed_flippedBits_isRefusedWhereTheStreamIs(long seed) throws IOException {
    byte[] blob = Recorded.gzip(Deflated.text(40_000));
    Random random = new Random(seed);
    int refused = 0;
    for (int i = 0; i < 200; i++) {
      byte[] flipped = blob.clone();
      flipped[random.nextInt(flipped.length)] ^= (byte) (1 << random.nextInt(8));
      boolean bad = false;
      try {
        stream(flipped);
      } catch (CorruptException e) {
        bad = true;
        refused++;
        assertThatThrownBy(() -> Recorded.of(flipped, SPAN_BYTES, 5000))
            .isInstanceOf(CorruptException.class);
      }
      if (!bad) {
        Recorded.of(flipped, SPAN_BYTES, 5000);
      }
    }
    assertThat(refused).isPositive();
  }

  @Test
  void feed_whatTheSinkThrows_comesThrough() {
    CheckpointPass.Sink full =
        new CheckpointPass.Sink() {
          @Override
          public void checkpoint(long blob, long tar, int bits, ByteBuffer window)
              throws IOException {
            throw new IOException("the disk is full");
          }

          @Override
          public void spanEnd(byte[] sha256) {
            throw new AssertionError("no span has begun");
          }
        };
    try (CheckpointPass pass = new CheckpointPass(SPAN_BYTES, full, "layer x")) {
      assertThatThrownBy(() -> pass.feed(ByteBuffer.wrap(Recorded.gzip(new byte[10]))))
          .isInstanceOf(IOException.class)
          .hasMessage("the disk is full");
    }
    assertThatThrownBy(() -> new CheckpointPass(1000, full, "layer x"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  /** The same stream as the JDK has it, or, where it has several members, as we do. */
  private static byte[] stream(byte[] blob) throws IOException {
    try (InputStream ours =
        LayerStream.open(
            StreamCompression.GZIP,
            new ByteArrayInputStream(blob),
            "layer x",
            InflaterLibrary.JDK)) {
      byte[] tar = ours.readAllBytes();
      try (InputStream jdk = new GZIPInputStream(new ByteArrayInputStream(blob))) {
        assertThat(jdk.readAllBytes()).isEqualTo(tar);
      }
      return tar;
    }
  }
}

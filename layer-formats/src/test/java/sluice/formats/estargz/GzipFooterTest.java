package sluice.formats.estargz;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import sluice.testing.Fixtures;

class GzipFooterTest {

  static final byte[] EXTERNAL = member("150053471100" + hex("STARGZEXTERNALTOC"));

  /** The footer of a TOC in the layer. */
  static byte[] embedded(long tocOffset) {
    return member("1a0053471600" + hex("%016xSTARGZ".formatted(tocOffset)));
  }

  /** As stargz was, before it was eStargz. */
  static byte[] legacy(long tocOffset) {
    return member("1600" + hex("%016xSTARGZ".formatted(tocOffset)));
  }

  private static byte[] member(String extra) {
    return HexFormat.of().parseHex("1f8b08040000000000ff" + extra + "010000ffff0000000000000000");
  }

  private static String hex(String text) {
    return HexFormat.of().formatHex(text.getBytes(US_ASCII));
  }

  @Test
  void find_itsThreeForms() {
    assertThat(GzipFooter.find(embedded(0x1234))).contains(new GzipFooter.Embedded(0x1234, 51));
    assertThat(GzipFooter.find(behind(legacy(0xffff_ffff_ffffL))))
        .contains(new GzipFooter.Embedded(0xffff_ffff_ffffL, 47));
    assertThat(GzipFooter.find(behind(EXTERNAL))).contains(new GzipFooter.External());
  }

  /** So that they are what any reader of gzip takes for an empty member. */
  @Test
  void footers_areGzip() throws Exception {
    for (byte[] footer : new byte[][] {embedded(1), legacy(1), EXTERNAL}) {
      try (GZIPInputStream gzip = new GZIPInputStream(new ByteArrayInputStream(footer))) {
        assertThat(gzip.readAllBytes()).isEmpty();
      }
    }
  }

  @Test
  void find_inFixtures() throws Exception {
    assertThat(GzipFooter.find(tail("esgz"))).contains(new GzipFooter.Embedded(538_102, 51));
    assertThat(GzipFooter.find(tail("esgz-ext"))).contains(new GzipFooter.External());
    assertThat(GzipFooter.find(tail(Fixtures.SOURCE))).isEmpty();
  }

  /** But for the fields of gzip that mean nothing here: time, flags, system, and the block. */
  @Test
  void find_anyFlippedBit_isAnotherOffsetOrNone() {
    for (byte[] footer : new byte[][] {embedded(0x77), legacy(0x77), EXTERNAL}) {
      Optional<GzipFooter> whole = GzipFooter.find(footer);
      assertThat(whole).isPresent();
      for (int bit = 0; bit < 8 * (footer.length - 13); bit++) {
        if (bit / 8 >= 4 && bit / 8 < 10) {
          continue;
        }
        byte[] flipped = footer.clone();
        flipped[bit / 8] ^= (byte) (1 << bit % 8);
        assertThat(GzipFooter.find(flipped)).as("bit %d", bit).isNotEqualTo(whole);
      }
    }
  }

  @Test
  void find_anythingShorter_isNone() {
    byte[] footer = embedded(0x77);
    for (int length = 0; length < footer.length; length++) {
      assertThat(GzipFooter.find(Arrays.copyOf(footer, length))).isEmpty();
      assertThat(GzipFooter.find(Arrays.copyOfRange(footer, footer.length - length, footer.length)))
          .isEmpty();
    }
  }

  @Test
  void find_offsetsBeyondAnyBlob_areSaid() {
    assertThat(GzipFooter.find(embedded(-1))).contains(new GzipFooter.Embedded(-1, 51));
  }

  private static byte[] behind(byte[] footer) {
    byte[] tail = new byte[51];
    System.arraycopy(footer, 0, tail, tail.length - footer.length, footer.length);
    return tail;
  }

  private static byte[] tail(String tag) throws Exception {
    Fixtures small = Fixtures.of("small");
    byte[] blob = Files.readAllBytes(small.blob(small.document(tag).layers().getFirst().digest()));
    return Arrays.copyOfRange(blob, blob.length - 51, blob.length);
  }
}

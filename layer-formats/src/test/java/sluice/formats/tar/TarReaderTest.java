package sluice.formats.tar;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import sluice.core.Bytes;
import sluice.core.CorruptException;
import sluice.formats.tar.TarBuilder.Header;
import sluice.formats.tar.TarStreams.Read;

class TarReaderTest {

  @Test
  void next_v7_tellsDirectoriesByTheirSlash() throws IOException {
    byte[] tar =
        new TarBuilder()
            .header(new Header("d/", '\0').v7())
            .entry(new Header("d/f", '\0').v7(), TarBuilder.latin("abc"))
            .build();
    List<Read> entries = TarStreams.read(tar);
    assertThat(entries).extracting(read -> (char) read.entry().type()).containsExactly('5', '0');
    assertThat(entries.get(1).content()).isEqualTo(Bytes.utf8("abc"));
    assertThat(entries.get(1).entry().mtime()).isEqualTo(1_600_000_000);
  }

  @Test
  void next_ustarPrefix_isPutInFront() throws IOException {
    byte[] tar = new TarBuilder().header(new Header("b", '0').text(345, "a/long")).build();
    assertThat(TarStreams.one(tar).name()).isEqualTo("a/long/b");
  }

  @Test
  void next_fieldsWithoutNul_areReadToTheirEnd() throws IOException {
    String name = "n".repeat(100);
    byte[] tar = new TarBuilder().header(new Header(name, '2').link("l".repeat(100))).build();
    Read read = TarStreams.one(tar);
    assertThat(read.name()).isEqualTo(name);
    assertThat(read.entry().linkName().length()).isEqualTo(100);
  }

  @Test
  void next_gnuLongNames_replaceBoth() throws IOException {
    byte[] tar =
        new TarBuilder()
            .gnuLong('K', "k".repeat(3000))
            .gnuLong('L', "l".repeat(200))
            .header(new Header("short", '2').gnu().link("short"))
            .header(new Header("next", '0').gnu())
            .build();
    List<Read> entries = TarStreams.read(tar);
    assertThat(entries.get(0).name()).isEqualTo("l".repeat(200));
    assertThat(entries.get(0).entry().linkName()).isEqualTo(Bytes.utf8("k".repeat(3000)));
    assertThat(entries.get(1).name()).isEqualTo("next");
  }

  @Test
  void next_gnuHeaderWithAPrefixOfOldGo_readsIt() throws IOException {
    byte[] tar = new TarBuilder().header(new Header("b", '0').gnu().text(345, "old/go")).build();
    assertThat(TarStreams.one(tar).name()).isEqualTo("old/go/b");
    byte[] times =
        new TarBuilder().header(new Header("b", '0').gnu().octal(345, 12, 1_500_000_000)).build();
    assertThat(TarStreams.one(times).name()).isEqualTo("b");
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, -1, -300_000_000, 9_000_000_000L, Long.MAX_VALUE, Long.MIN_VALUE})
  void next_base256_isReadWithItsSign(long value) throws IOException {
    byte[] tar =
        new TarBuilder().header(new Header("a", '0').gnu().base256(136, 12, value)).build();
    assertThat(TarStreams.one(tar).entry().mtime()).isEqualTo(value);
  }

  @Test
  void next_base256Beyond63Bits_isRefused() {
    byte[] tar =
        new TarBuilder()
            .header(new Header("a", '0').gnu().base256(136, 12, 0).text(137, "\1"))
            .build();
    assertThatThrownBy(() -> TarStreams.read(tar))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("mtime")
        .hasMessageContaining("more than 63 bits")
        .hasMessageContaining("(resource=layer x, offset=136)");
  }

  @Test
  void next_numbersWithSpaces_areRead() throws IOException {
    byte[] tar = new TarBuilder().header(new Header("a", '0').text(108, "  755 \0")).build();
    assertThat(TarStreams.one(tar).entry().uid()).isEqualTo(0755);
  }

  @ParameterizedTest
  @ValueSource(strings = {"9", "12x", "0x12", "-1", "7 7"})
  void next_wrongNumber_isRefused(String number) {
    byte[] tar = new TarBuilder().header(new Header("a", '0').text(108, number + "\0")).build();
    assertThatThrownBy(() -> TarStreams.read(tar))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("uid");
  }

  @Test
  void next_signedChecksum_isGood() throws IOException {
    byte[] tar = new TarBuilder().raw(new Header("\u00ff\u00fe", '0').bytes(false)).build();
    assertThat(TarStreams.one(tar).entry().name()).isEqualTo(Bytes.of((byte) 0xff, (byte) 0xfe));
  }

  @Test
  void next_wrongChecksum_isRefused() {
    byte[] tar = new TarBuilder().file("a", "x").file("b", "y").build();
    tar[1024] ^= 1;
    assertThatThrownBy(() -> TarStreams.read(tar))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("checksum")
        .hasMessageContaining("offset=1024)");
  }

  @Test
  void next_paxRecords_overrideTheHeader() throws IOException {
    byte[] tar =
        new TarBuilder()
            .pax(
                'x',
                "path=long/\u00ffname",
                "linkpath=to",
                "uid=4000000000",
                "gid=70000",
                "size=3",
                "mtime=-1.25",
                "SCHILY.xattr.user.nl=a=b\nc\0d\n",
                "SCHILY.xattr.user.empty=",
                "LIBARCHIVE.xattr.user.p%25=bGli",
                "LIBARCHIVE.xattr.user.nl=%")
            .header(new Header("short", '0'))
            .data(TarBuilder.latin("abc"))
            .file("next", "")
            .build();
    List<Read> entries = TarStreams.read(tar);
    TarEntry entry = entries.get(0).entry();
    assertThat(entry.name()).isEqualTo(Bytes.of("long/\u00ffname".getBytes(ISO_8859_1)));
    assertThat(entry.uid()).isEqualTo(4_000_000_000L);
    assertThat(entry.gid()).isEqualTo(70_000);
    assertThat(entry.mtime()).isEqualTo(-2);
    assertThat(entry.nanos()).isEqualTo(750_000_000);
    assertThat(entries.get(0).content()).isEqualTo(Bytes.utf8("abc"));
    assertThat(entry.xattrs())
        .as("those that containerd's unpack sets")
        .hasSize(2)
        .containsEntry(Bytes.utf8("user.nl"), Bytes.utf8("a=b\nc\0d\n"))
        .containsEntry(Bytes.utf8("user.empty"), Bytes.EMPTY);
    assertThat(entries.get(1).name()).isEqualTo("next");
    assertThat(entries.get(1).entry().xattrs()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "1600000000.000000005, 1600000000, 5",
    "1600000000.1, 1600000000, 100000000",
    "1600000000.1234567899, 1600000000, 123456789",
    "-3, -3, 0",
    "-3.0, -3, 0",
    "-0.5, -1, 500000000",
    "12., 12, 0"
  })
  void next_paxTimes_countForward(String text, long seconds, int nanos) throws IOException {
    byte[] tar = new TarBuilder().pax('x', "mtime=" + text).file("a", "").build();
    TarEntry entry = TarStreams.one(tar).entry();
    assertThat(entry.mtime()).isEqualTo(seconds);
    assertThat(entry.nanos()).isEqualTo(nanos);
  }

  @ParameterizedTest
  @ValueSource(strings = {"mtime=x", "mtime=1.x", "uid=", "uid=1e3", "size=-1"})
  void next_paxValueThatIsNone_isRefusedUnlessEmpty(String record) throws IOException {
    byte[] tar = new TarBuilder().pax('x', record).file("a", "").build();
    if (record.endsWith("=")) {
      assertThat(TarStreams.one(tar).entry().uid()).isZero();
    } else {
      assertThatThrownBy(() -> TarStreams.read(tar))
          .isInstanceOf(CorruptException.class)
          .hasMessageContaining("\"a\"");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "6 a=b",
        "5 a=b\n",
        "7 a=b\n",
        "99999999999 a=b\n",
        "x a=b\n",
        "5 ab\n",
        "4 =\n",
        " a=b\n",
        "0 ",
        "13 path=a\0b\n",
        "10 a\0b=c\n\n"
      })
  void next_brokenPaxRecord_isRefused(String content) {
    byte[] tar =
        new TarBuilder()
            .entry(new Header("x", 'x'), TarBuilder.latin(content))
            .file("a", "")
            .build();
    assertThatThrownBy(() -> TarStreams.read(tar))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("PAX header: no record");
  }

  @Test
  void next_globalHeader_changesNothing() throws IOException {
    byte[] tar =
        new TarBuilder()
            .pax('g', "comment=c", "mtime=5", "SCHILY.xattr.user.g=v")
            .file("a", "")
            .build();
    Read read = TarStreams.one(tar);
    assertThat(read.entry().mtime()).isEqualTo(1_600_000_000);
    assertThat(read.entry().xattrs()).isEmpty();
  }

  @Test
  void next_specialHeaderTooLarge_isRefusedBeforeItIsRead() {
    byte[] tar = new TarBuilder().header(new Header("x", 'x').size(1L << 30)).build();
    assertThatThrownBy(() -> TarStreams.read(tar))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("header of type 'x' with 1073741824 bytes, at most 1048576");
  }

  @Test
  void next_linkWithASize_hasNoData() throws IOException {
    byte[] tar =
        new TarBuilder().header(new Header("l", '1').link("a").size(9)).file("b", "x").build();
    assertThat(TarStreams.read(tar)).extracting(Read::name).containsExactly("l", "b");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2})
  void next_endsWithAnyNumberOfZeroBlocks(int zeroBlocks) throws IOException {
    byte[] tar = new TarBuilder().file("a", "x").raw(new byte[zeroBlocks * 512]).unfinished();
    assertThat(TarStreams.read(tar)).hasSize(1);
  }

  @Test
  void next_paddingMissingAtTheEnd_isGood() throws IOException {
    byte[] tar = new TarBuilder().file("a", "x").unfinished();
    assertThat(TarStreams.read(Arrays.copyOf(tar, 513))).hasSize(1);
  }

  @Test
  void next_blockAfterOneOfZeros_isRefused() {
    byte[] tar = new TarBuilder().raw(new byte[512]).file("a", "x").build();
    assertThatThrownBy(() -> TarStreams.read(tar))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("a block of zeros");
  }

  @Test
  void next_truncatedAnywhere_isRefusedOrEndsBetweenEntries() throws IOException {
    byte[] tar =
        new TarBuilder()
            .pax('x', "mtime=1.5")
            .file("a", "x".repeat(700))
            .gnuLong('L', "long")
            .file("b", "y")
            .build();
    for (int length = 0; length < tar.length; length++) {
      byte[] cut = Arrays.copyOf(tar, length);
      try {
        List<Read> entries = TarStreams.read(cut);
        assertThat(entries.size()).as("cut at %d", length).isLessThan(3);
      } catch (CorruptException e) {
        assertThat(e).hasMessageContaining("the stream ends");
      }
    }
  }

  @Test
  void next_flippedBits_neverThrowAnythingElse() throws IOException {
    byte[] tar =
        new TarBuilder()
            .pax(
                'x',
                "mtime=1.5",
                "GNU.sparse.major=1",
                "GNU.sparse.minor=0",
                "GNU.sparse.realsize=100")
            .entry(new Header("s", '0'), Arrays.copyOf(TarBuilder.latin("1\n0\n1\n"), 513))
            .gnuLong('L', "long")
            .file("b", "y")
            .build();
    assertThat(TarStreams.read(tar)).hasSize(2);
    Random random = new Random(3);
    for (int i = 0; i < 5_000; i++) {
      byte[] flipped = tar.clone();
      int at = random.nextInt(flipped.length);
      flipped[at] ^= (byte) (1 << random.nextInt(8));
      repairChecksum(flipped, at - at % 512);
      try {
        TarStreams.read(flipped);
      } catch (CorruptException e) {
        assertThat(e).hasMessageStartingWith("tar: ");
      }
    }
  }

  /** So that the flipped bit is looked at, and not only the checksum. */
  private static void repairChecksum(byte[] tar, int at) {
    Arrays.fill(tar, at + 148, at + 156, (byte) ' ');
    long sum = 0;
    for (int i = at; i < at + 512; i++) {
      sum += tar[i] & 0xff;
    }
    byte[] text = TarBuilder.latin("%06o\0 ".formatted(sum));
    System.arraycopy(text, 0, tar, at + 148, text.length);
  }
}

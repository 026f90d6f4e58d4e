package sluice.formats.tar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import sluice.core.Bytes;
import sluice.core.CorruptException;
import sluice.formats.tar.TarBuilder.Header;
import sluice.formats.tar.TarStreams.Read;

class SparseMapsTest {

  /** abc at 2, de at 1000, in a file of 1500 bytes. */
  private static final byte[] CONTENT = content();

  @Test
  void pax00_numbersInPairsOfRecords() throws IOException {
    assertSparse(
        new TarBuilder()
            .pax(
                'x',
                "GNU.sparse.size=1500",
                "GNU.sparse.numblocks=2",
                "GNU.sparse.offset=2",
                "GNU.sparse.numbytes=3",
                "GNU.sparse.offset=1000",
                "GNU.sparse.numbytes=2")
            .file("s", "abcde")
            .build());
  }

  @Test
  void pax01_numbersInOneRecord() throws IOException {
    assertSparse(
        new TarBuilder()
            .pax(
                'x',
                "GNU.sparse.name=s",
                "GNU.sparse.size=1500",
                "GNU.sparse.numblocks=2",
                "GNU.sparse.map=2,3,1000,2")
            .file("GNUSparseFile.0/s", "abcde")
            .build());
  }

  @Test
  void pax10_numbersBeforeTheData() throws IOException {
    ByteArrayOutputStream data = new ByteArrayOutputStream();
    data.writeBytes(Arrays.copyOf(TarBuilder.latin("2\n2\n3\n1000\n2\n"), 512));
    data.writeBytes(TarBuilder.latin("abcde"));
    assertSparse(
        new TarBuilder()
            .pax(
                'x',
                "GNU.sparse.major=1",
                "GNU.sparse.minor=0",
                "GNU.sparse.name=s",
                "GNU.sparse.realsize=1500")
            .entry(new Header("GNUSparseFile.0/s", '0'), data.toByteArray())
            .build());
  }

  @Test
  void oldGnu_numbersInTheHeader() throws IOException {
    assertSparse(
        new TarBuilder()
            .entry(
                new Header("s", 'S')
                    .gnu()
                    .octal(386, 12, 2)
                    .octal(398, 12, 3)
                    .octal(410, 12, 1000)
                    .octal(422, 12, 2)
                    .octal(483, 12, 1500),
                TarBuilder.latin("abcde"))
            .build());
  }

  @Test
  void oldGnu_moreNumbersInBlocksBehindTheHeader() throws IOException {
    Header header = new Header("s", 'S').gnu().octal(483, 12, 3000).text(482, "\1");
    Header more = new Header("", '0').text(504, "\0");
    byte[] block = new byte[512];
    StringBuilder data = new StringBuilder();
    for (int i = 0; i < 6; i++) {
      data.append((char) ('a' + i));
      if (i < 4) {
        header.octal(386 + 24 * i, 12, 500L * i).octal(398 + 24 * i, 12, 1);
      } else {
        more.octal(24 * (i - 4), 12, 500L * i).octal(24 * (i - 4) + 12, 12, 1);
        System.arraycopy(more.bytes(), 24 * (i - 4), block, 24 * (i - 4), 24);
      }
    }
    byte[] tar =
        new TarBuilder()
            .header(header.size(6))
            .raw(block)
            .data(TarBuilder.latin(data.toString()))
            .build();
    Read read = TarStreams.one(tar);
    assertThat(read.entry().size()).isEqualTo(3000);
    for (int i = 0; i < 6; i++) {
      assertThat(read.content().at(500 * i)).isEqualTo((byte) ('a' + i));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "0,1,0,1",
        "0,5,4,1",
        "-1,1,2,3",
        "0,-1,3,6",
        "0,1,9223372036854775807,9",
        "0,1,3",
        "0,1,x,4"
      })
  void pax01_wrongMap_isRefused(String map) {
    byte[] tar =
        new TarBuilder()
            .pax('x', "GNU.sparse.size=1500", "GNU.sparse.numblocks=2", "GNU.sparse.map=" + map)
            .file("s", "abcde")
            .build();
    assertThatThrownBy(() -> TarStreams.read(tar)).isInstanceOf(CorruptException.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"2,3,1499,2", "2,3,1000,3", "2,3,1000,1"})
  void content_mapThatDoesNotFit_isRefused(String map) {
    byte[] tar =
        new TarBuilder()
            .pax('x', "GNU.sparse.size=1500", "GNU.sparse.numblocks=2", "GNU.sparse.map=" + map)
            .file("s", "abcde")
            .build();
    assertThatThrownBy(() -> TarStreams.read(tar))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("sparse file \"s\"");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"1000000000\n", "99999999999999999999\n", "1\n", "", "1\n\n", "2\n0\n1\nx"})
  void pax10_wrongMap_isRefused(String map) {
    byte[] tar =
        new TarBuilder()
            .pax('x', "GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.realsize=9")
            .entry(new Header("s", '0'), Arrays.copyOf(TarBuilder.latin(map), 512))
            .build();
    assertThatThrownBy(() -> TarStreams.read(tar))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("sparse map");
  }

  private static void assertSparse(byte[] tar) throws IOException {
    Read read = TarStreams.one(tar);
    assertThat(read.name()).isEqualTo("s");
    assertThat(read.entry().size()).isEqualTo(1500);
    assertThat(read.content()).isEqualTo(Bytes.of(CONTENT));
  }

  private static byte[] content() {
    byte[] content = new byte[1500];
    System.arraycopy(TarBuilder.latin("abc"), 0, content, 2, 3);
    System.arraycopy(TarBuilder.latin("de"), 0, content, 1000, 2);
    return content;
  }
}

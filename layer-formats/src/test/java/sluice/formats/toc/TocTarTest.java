package sluice.formats.toc;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import sluice.core.CorruptException;

class TocTarTest {

  private static byte[] header(String name, String size) {
    byte[] header = new byte[512];
    System.arraycopy(name.getBytes(US_ASCII), 0, header, 0, name.length());
    System.arraycopy(size.getBytes(US_ASCII), 0, header, 124, size.length());
    header[156] = '0';
    return header;
  }

  private static long open(byte[] tar) throws IOException {
    return TocTar.open(new ByteArrayInputStream(tar), "layer x", 4711);
  }

  @Test
  void open_header_saysTheLength() throws IOException {
    assertThat(open(header("stargz.index.json", "00000000012"))).isEqualTo(10);
  }

  /** Offsets are those of the blob, where the member begins: what is decoded has none there. */
  @Test
  void open_whatIsNoToc_saysWhereInTheBlob() {
    byte[] good = header("stargz.index.json", "00000000012");
    assertThatThrownBy(() -> open(Arrays.copyOf(good, 511)))
        .hasMessage("TOC: tar header of 511 bytes, expected 512 (resource=layer x, offset=4711)");
    assertThatThrownBy(() -> open(header("stargz.index.jsox", "00000000012")))
        .hasMessageContaining("\"stargz.index.jsox\" of type 48")
        .hasMessageEndingWith("(resource=layer x, offset=4711)");
    assertThatThrownBy(() -> open(header("stargz.index.json", "00000009012")))
        .isInstanceOf(CorruptException.class)
        .hasMessage(
            "TOC: tar header: byte 0x39 at 131, expected an octal digit of the size"
                + " (resource=layer x, offset=4711)");
  }
}

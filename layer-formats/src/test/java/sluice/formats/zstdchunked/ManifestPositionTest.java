package sluice.formats.zstdchunked;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import sluice.testing.Fixtures;

class ManifestPositionTest {

  /** A footer of 64 bytes, or of 40. */
  static byte[] footer(ManifestPosition position, boolean podman) {
    ByteBuffer footer = ByteBuffer.allocate(podman ? 64 : 40).order(ByteOrder.LITTLE_ENDIAN);
    footer.putLong(position.offset()).putLong(position.encodedBytes());
    footer.putLong(position.decodedBytes()).putLong(position.type());
    footer.position(footer.limit() - 8);
    footer.put((podman ? "GNUlInUx" : "GnUlInUx").getBytes(StandardCharsets.US_ASCII));
    return footer.array();
  }

  @ParameterizedTest
  @CsvSource({
    "zstdc-podman, 668751, 18495, 206761",
    "zstdc-podman-old, 666888, 20670, 361166",
    "zstdc-stargz, 910292, 28055, 488301"
  })
  void find_inFixtures_isWhatTheAnnotationSays(
      String tag, long offset, long encodedBytes, long decodedBytes) throws Exception {
    Fixtures small = Fixtures.of("small");
    byte[] blob = Files.readAllBytes(small.blob(small.document(tag).layers().getFirst().digest()));
    ManifestPosition expected = new ManifestPosition(offset, encodedBytes, decodedBytes, 1);
    assertThat(ManifestPosition.find(Arrays.copyOfRange(blob, blob.length - 64, blob.length)))
        .contains(expected);
    assertThat(expected.problem(blob.length)).isEmpty();
    assertThat(ManifestPosition.parse("%d:%d:%d:1".formatted(offset, encodedBytes, decodedBytes)))
        .contains(expected);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "1",
        "1:2:3",
        "1:2:3:4:5",
        "1:2:3:",
        ":1:2:3",
        "-1:2:3:1",
        "+1:2:3:1",
        " 1:2:3:1",
        "1:2:3:1 ",
        "0x1:2:3:1",
        "1234567890123456789:2:3:1",
        "١:2:3:1"
      })
  void parse_anythingElse_isNone(String annotation) {
    assertThat(ManifestPosition.parse(annotation)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "8, 992, 5, 1, ''",
    "8, 993, 5, 1, TOC of 993 bytes at 8",
    "7, 10, 5, 1, TOC of 10 bytes at 7",
    "-1, 10, 5, 1, at 18446744073709551615",
    "8, -1, 5, 1, TOC of 18446744073709551615 bytes",
    "8, 0, 5, 1, TOC of 0 bytes",
    "8, 10, 0, 1, and 0 decoded",
    "8, 10, -1, 1, and 18446744073709551615 decoded",
    "9223372036854775807, 9223372036854775807, 5, 1, of a blob of 1000",
    "8, 10, 5, 2, TOC of type 2"
  })
  void problem_isWhatCannotBe(
      long offset, long encodedBytes, long decodedBytes, long type, String said) {
    ManifestPosition position = new ManifestPosition(offset, encodedBytes, decodedBytes, type);
    if (said.isEmpty()) {
      assertThat(position.problem(1000)).isEmpty();
    } else {
      assertThat(position.problem(1000)).get().asString().contains(said);
    }
  }

  @Test
  void find_footersThatAreCut_areNone() {
    ManifestPosition position = new ManifestPosition(8, 10, 20, 1);
    for (boolean podman : new boolean[] {true, false}) {
      byte[] footer = footer(position, podman);
      assertThat(ManifestPosition.find(footer)).contains(position);
      for (int length = 0; length < footer.length; length++) {
        assertThat(
                ManifestPosition.find(
                    Arrays.copyOfRange(footer, footer.length - length, footer.length)))
            .isEmpty();
        assertThat(ManifestPosition.find(Arrays.copyOf(footer, length))).isEmpty();
      }
    }
  }
}

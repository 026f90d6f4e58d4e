package sluice.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DigestTest {

  private static final String ABC =
      "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

  @Test
  void sha256_isTheKnownValue() {
    Digest digest = Digest.sha256("abc".getBytes(StandardCharsets.US_ASCII));
    assertThat(digest).hasToString(ABC).isEqualTo(Digest.parse(ABC));
    assertThat(digest.matches(digest.bytes())).isTrue();
    assertThat(digest.matches(new byte[32])).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "sha256", "sha256:", "sha256:BA78", "md5:00", "sha256:zz"})
  void parse_refusesOtherText(String text) {
    assertThatThrownBy(() -> Digest.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("digest: ");
  }

  @Test
  void chainId_foldsDiffIdsFromTheLowest() {
    Digest a = Digest.parse(ABC);
    Digest b = Digest.sha256(new byte[] {1});
    Digest two = Digest.sha256((a + " " + b).getBytes(StandardCharsets.US_ASCII));
    assertThat(ChainId.ofAll(List.of(a, b))).containsExactly(a, two);
  }
}

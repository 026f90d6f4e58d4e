package sluice.snapshotter.service;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class NamespaceHeaderTest {

  @ParameterizedTest
  @CsvSource({
    "k8s.io/12/extract-1-x sha256:ab, k8s.io",
    "default/3/a/b, default",
    "extract-1-x, ''",
    "a/b/c, ''"
  })
  void of_keyWithoutAHeader_isWhatItBeginsWith(String key, String namespace) {
    assertThat(NamespaceHeader.of(key)).isEqualTo(namespace);
  }
}

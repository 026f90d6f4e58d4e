package sluice.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ImageReferenceTest {

  private static final String HEX = "a".repeat(64);

  @ParameterizedTest
  @CsvSource({
    "debian, docker.io/library/debian:latest",
    "debian:12, docker.io/library/debian:12",
    "team/app, docker.io/team/app:latest",
    "localhost/app, localhost/app:latest",
    "127.0.0.1:5000/app:v1, 127.0.0.1:5000/app:v1",
    "registry.example/a/b_c--d:T.1-x, registry.example/a/b_c--d:T.1-x",
    "oci:/images/small, oci:/images/small:latest",
    "oci:/images/small:src, oci:/images/small:src",
    "oci:/images/a:b/small, oci:/images/a:b/small:latest",
  })
  void parse_completesShortNames(String text, String whole) {
    assertThat(ImageReference.parse(text)).hasToString(whole);
  }

  @Test
  void selector_isTheDigestWhereThereIsOne() {
    var reference = ImageReference.parse("registry.example/app:v1@sha256:" + HEX);
    assertThat(reference.tag()).isEqualTo("v1");
    assertThat(reference.selector()).isEqualTo("sha256:" + HEX);
    assertThat(ImageReference.parse("registry.example/app@sha256:" + HEX).tag()).isNull();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "UPPER/case", "a//b", "app:", "app:-x", "app@sha256:12", "oci::tag"})
  void parse_refusesWhatIsNoReference(String text) {
    assertThatThrownBy(() -> ImageReference.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageMatching("(?s)(reference|digest): .*");
  }
}

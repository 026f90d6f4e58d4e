package sluice.formats.toc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.DateTimeException;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TocTimeTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "1970-01-01T00:00:00Z",
        "1969-12-31T23:59:59.25Z",
        "2020-02-29T12:34:56.123456789Z",
        "2106-02-07T06:28:16Z",
        "9999-12-31T23:59:59Z",
        "0001-01-02T00:00:00Z"
      })
  void parse_isWhatTheJdkMakesOfIt(String text) {
    Instant instant = Instant.parse(text);
    assertThat(TocTime.parse(text))
        .isEqualTo(new TocTime(instant.getEpochSecond(), instant.getNano()));
  }

  @ParameterizedTest
  @CsvSource({
    "2020-01-01T00:00:00+01:30, 1577831400",
    "2020-01-01T00:00:00.0-00:01, 1577836860",
    "2020-01-01T00:00:00-12:00, 1577880000"
  })
  void parse_offsets_areTakenAway(String text, long seconds) {
    assertThat(TocTime.parse(text)).isEqualTo(new TocTime(seconds, 0));
  }

  @Test
  void parse_noTimeAndYearOne_areZero() {
    assertThat(TocTime.parse("")).isEqualTo(new TocTime(0, 0));
    assertThat(TocTime.parse("0001-01-01T00:00:00Z")).isEqualTo(new TocTime(0, 0));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "x",
        "2020-01-01",
        "2020-01-01T00:00:00",
        "2020-01-01 00:00:00Z",
        "2020-02-30T00:00:00Z",
        "2020-13-01T00:00:00Z",
        "2020-01-01T24:00:00Z",
        "2020-01-01T00:60:00Z",
        "2020-01-01T00:00:60Z",
        "2020-01-01T00:00:00.Z",
        "2020-01-01T00:00:00.1234567890Z",
        "2020-01-01T00:00:00z",
        "2020-01-01T00:00:00+1:00",
        "2020-01-01T00:00:00+01-00",
        "2020-01-01T00:00:00+0a:00",
        "+020-01-01T00:00:00Z",
        "2020-01-01T00:00:00.999999999"
      })
  void parse_anythingElse_isRefused(String text) {
    assertThatThrownBy(() -> TocTime.parse(text)).isInstanceOf(DateTimeException.class);
  }
}

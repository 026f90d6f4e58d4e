package sluice.snapshotter.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class FilterTest {

  private static final Snapshot SNAPSHOT =
      new Snapshot(
          1,
          new SnapshotKey("s", "default/1/key"),
          "parent name",
          Kind.COMMITTED,
          Instant.EPOCH,
          Instant.EPOCH,
          Map.of("containerd.io/snapshot.ref", "sha256:ab", "l", "1", "q\"uote", "a,b c", "e", ""),
          Usage.NONE,
          null);

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "name",
        "name==default/1/key",
        "name == default/1/key",
        "kind==committed",
        "kind!=active",
        "parent==\"parent name\"",
        "parent!=\"\"",
        "labels.l",
        "labels.l==1",
        "labels.e",
        "labels.e==\"\"",
        "labels.none!=x",
        "labels.\"containerd.io/snapshot.ref\"==sha256:ab",
        "labels.\"containerd.io/snapshot.ref\"==\"sha256:ab\",parent==\"parent name\"",
        "labels.\"q\\\"uote\"==\"a,b\\x20c\"",
        "\"labels\".l",
        "name~=^default/\\d+",
        "name~=\"^default/\\\\d+\"",
        "name~=/default\\/1/",
        "name~=|1/key$|,labels.l~=[12]",
      })
  void matches(String filter) throws SnapshotException {
    assertThat(Filter.anyOf(List.of(filter)).test(SNAPSHOT)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "name==key",
        "kind==active",
        "labels.none",
        "labels",
        "labels.none==\"\"",
        "nothing",
        "nothing==x",
        "labels.l==1,kind==view",
        "name~=^key",
        "parent==\"\"",
      })
  void doesNotMatch(String filter) throws SnapshotException {
    assertThat(Filter.anyOf(List.of(filter)).test(SNAPSHOT)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "=",
        "==",
        "name=",
        "name=x",
        "name==",
        "name!",
        "name==a b",
        "name,",
        ",name",
        "name..x",
        "name.",
        "1x",
        "na-me",
        "name==\"x",
        "name==\"\\q\"",
        "name==\"\\x2\"",
        "name==\"\\U99999999\"",
        "name~=(",
        "name~=/(/",
        "name~=/x",
        "name x",
      })
  void isRefused(String filter) {
    assertThatThrownBy(() -> Filter.anyOf(List.of(filter)))
        .isInstanceOfSatisfying(
            SnapshotException.class,
            e -> assertThat(e.code()).isEqualTo(SnapshotException.Code.INVALID_ARGUMENT))
        .hasMessageStartingWith("filter \"" + filter);
  }

  @Test
  void anyOf_several() throws SnapshotException {
    assertThat(Filter.anyOf(List.of()).test(SNAPSHOT)).isTrue();
    assertThat(Filter.anyOf(List.of("name==x", "labels.l")).test(SNAPSHOT)).isTrue();
    assertThat(Filter.anyOf(List.of("name==x", "kind==view")).test(SNAPSHOT)).isFalse();
  }

  @Test
  void goString_escapes() {
    assertThat(GoString.unescape("\\a\\b\\f\\n\\r\\t\\v\\\\\\\""))
        .isEqualTo("\007\b\f\n\r\t\013\\\"");
    assertThat(GoString.unescape("\\303\\244\\xc3\\xa4\\u00e4\\U0001F600")).isEqualTo("äää😀");
  }
}

package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.Timestamp;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;
import sluice.api.containerd.snapshots.Info;
import sluice.api.containerd.snapshots.Kind;
import sluice.command.SuiteBackend.Laziness;
import sluice.testing.DockerRegistry;
import sluice.testing.SnapshotClient;

/**
 * What is so whatever is in the layers: the cases StatActive, StatCommitted, Transitivity,
 * PrepareViewFailing, Update, Remove, Walk, RemoveIntermediateSnapshot, StatInWalk and CloseTwice
 * of containerd's suite.
 */
@ParameterizedClass
@EnumSource(Laziness.class)
final class SnapshotRulesIT {

  private static DockerRegistry registry;

  private final Laziness laziness;
  private SuiteNode node;
  private SuiteBackend backend;

  SnapshotRulesIT(Laziness laziness) {
    this.laziness = laziness;
  }

  @BeforeAll
  static void openRegistry() throws Exception {
    registry = DockerRegistry.open();
  }

  @AfterAll
  static void closeRegistry() throws Exception {
    registry.close();
  }

  @BeforeEach
  void start() throws IOException, InterruptedException {
    node = SuiteNode.start();
    backend = new SuiteBackend(node, registry, laziness);
  }

  @AfterEach
  void stop() throws IOException, InterruptedException {
    node.close();
  }

  @Test
  void stat_ofActiveSnapshot() {
    var _ = backend.prepare("active", "");

    Info info = backend.stat("active");

    assertThat(info.getName()).isEqualTo("active");
    assertThat(info.getKind()).isEqualTo(Kind.ACTIVE);
    assertThat(info.getParent()).isEmpty();
    assertThat(info.getLabelsMap()).containsKey(SnapshotClient.GC_ROOT);
  }

  @Test
  void stat_ofCommittedSnapshot() throws IOException, InterruptedException {
    var _ = backend.prepare("active", "");
    backend.commit("committed", "active");

    Info info = backend.stat("committed");

    assertThat(info.getName()).isEqualTo("committed");
    assertThat(info.getKind()).isEqualTo(Kind.COMMITTED);
    assertThat(info.getParent()).isEmpty();
    assertFails(Status.Code.NOT_FOUND, () -> backend.stat("active"));
  }

  @Test
  void stat_ofThreeGenerations() throws IOException, InterruptedException {
    committed("one", "");
    committed("two", "one");
    var _ = backend.prepare("three", "two");

    assertThat(backend.stat("three").getParent()).isEqualTo("two");
    assertThat(backend.stat("two").getParent()).isEqualTo("one");
    assertThat(backend.stat("one").getParent()).isEmpty();
    assertThat(backend.stat("two").getKind()).isEqualTo(Kind.COMMITTED);
  }

  @Test
  void prepareAndView_ofKeyThatExists() throws IOException, InterruptedException {
    committed("base", "");
    var prepared = backend.prepare("taken", "base");
    var viewed = backend.view("seen", "base");

    assertThat(prepared).hasSize(1);
    assertThat(viewed).hasSize(1);
    for (String key : List.of("taken", "seen")) {
      for (String parent : List.of("", "base")) {
        assertFails(Status.Code.ALREADY_EXISTS, () -> backend.prepare(key, parent));
        assertFails(Status.Code.ALREADY_EXISTS, () -> backend.view(key, parent));
      }
    }
  }

  @Test
  void prepareAndView_ofParentThatCannotBeOne() {
    var _ = backend.prepare("active", "");

    assertFails(Status.Code.NOT_FOUND, () -> backend.prepare("a", "nowhere"));
    assertFails(Status.Code.NOT_FOUND, () -> backend.view("v", "nowhere"));
    assertFails(Status.Code.INVALID_ARGUMENT, () -> backend.prepare("a", "active"));
    assertFails(Status.Code.INVALID_ARGUMENT, () -> backend.view("v", "active"));
    assertFails(Status.Code.INVALID_ARGUMENT, () -> backend.prepare("", ""));
    assertThat(backend.list()).extracting(Info::getName).containsExactly("active");
  }

  @Test
  void commit_whereItCannotBe() throws IOException, InterruptedException {
    committed("base", "");
    var active = backend.prepare("active", "base");
    var view = backend.view("view", "base");

    assertThat(List.of(active, view)).doesNotContain(List.of());
    assertFails(Status.Code.FAILED_PRECONDITION, () -> backend.commitLocally("c", "view", ""));
    assertFails(Status.Code.NOT_FOUND, () -> backend.commitLocally("c", "nowhere", ""));
    assertFails(
        Status.Code.ALREADY_EXISTS,
        () -> backend.commitLocally(backend.backend("base"), "active", ""));
    assertFails(Status.Code.INVALID_ARGUMENT, () -> backend.commitLocally("c", "active", "other"));
    backend.commitLocally("c", "active", backend.backend("base"));
    assertThat(backend.stat("c").getParent()).isEqualTo("base");
    assertFails(Status.Code.FAILED_PRECONDITION, () -> backend.mounts("c"));
  }

  @Test
  void update_ofEveryKind() throws IOException, InterruptedException {
    for (String parent : List.of("", "base")) {
      if (!parent.isEmpty()) {
        committed(parent, "");
      }
      String suffix = parent.isEmpty() ? "1" : "2";
      var active = backend.prepare("a" + suffix, parent, "l1", "v1");
      var view = backend.view("v" + suffix, parent, "l1", "v1");
      var toCommit = backend.prepare("c-active" + suffix, parent);
      backend.commit("c" + suffix, "c-active" + suffix, "l1", "v1");

      assertThat(List.of(active, view, toCommit)).doesNotContain(List.of());
      for (String name : List.of("a" + suffix, "v" + suffix, "c" + suffix)) {
        updateEachWay(name);
      }
    }
  }

  private void updateEachWay(String name) {
    Info before = backend.stat(name);
    assertThat(before.getCreatedAt()).isEqualTo(before.getUpdatedAt());

    Instant from = Instant.now();
    Info all =
        backend.update(
            before.toBuilder()
                .setParent("other")
                .clearLabels()
                .putAllLabels(Map.of("l1", "v1", "l2", "v2", "l3", "v3"))
                .build());
    Instant to = Instant.now();
    assertThat(all.getLabelsMap()).isEqualTo(Map.of("l1", "v1", "l2", "v2", "l3", "v3"));
    assertThat(all.getParent()).isEqualTo(before.getParent());
    assertThat(all.getCreatedAt()).isEqualTo(before.getCreatedAt());
    assertThat(instant(all.getUpdatedAt())).isBetween(from, to);

    Info some =
        backend.update(
            labelled(name, Map.of("l1", "new", "l3", "ignored")), "labels.l1", "labels.l2");
    assertThat(some.getLabelsMap()).isEqualTo(Map.of("l1", "new", "l3", "v3"));

    Info dotted = backend.update(labelled(name, Map.of("a.b/c.d", "x")), "labels.a.b/c.d");
    assertThat(dotted.getLabelsMap()).isEqualTo(Map.of("l1", "new", "l3", "v3", "a.b/c.d", "x"));

    Info replaced = backend.update(labelled(name, Map.of("l9", "v9", "empty", "")), "labels");
    assertThat(replaced.getLabelsMap()).isEqualTo(Map.of("l9", "v9"));

    assertFails(
        Status.Code.INVALID_ARGUMENT,
        () -> backend.update(labelled(name, Map.of("l1", "x")), "labels.l1", "parent"));
    assertThat(backend.stat(name)).isEqualTo(replaced);
  }

  @Test
  void labels_tooLong() {
    assertFails(
        Status.Code.INVALID_ARGUMENT, () -> backend.prepare("a", "", "key", "v".repeat(4094)));
    var longest = backend.prepare("a", "", "key", "v".repeat(4093));
    assertThat(longest).hasSize(1);
  }

  @Test
  void remove_thenTheNameIsFree() throws IOException, InterruptedException {
    committed("base", "");
    committed("committed-1", "base");
    var first = backend.view("reuse-1", "base");
    backend.remove("reuse-1");
    var second = backend.prepare("reuse-1", "committed-1");

    assertThat(List.of(first, second)).doesNotContain(List.of());
    assertThat(backend.stat("reuse-1").getKind()).isEqualTo(Kind.ACTIVE);
    assertThat(backend.stat("reuse-1").getParent()).isEqualTo("committed-1");

    backend.remove("reuse-1");
    backend.remove("committed-1");
    committed("committed-1", "");
    assertThat(backend.stat("committed-1").getParent()).isEmpty();
    assertFails(Status.Code.NOT_FOUND, () -> backend.remove("reuse-1"));
  }

  @Test
  void remove_ofSnapshotThatOthersStandOn() throws IOException, InterruptedException {
    committed("base", "");
    committed("middle", "base");
    var active = backend.prepare("top", "middle");

    assertThat(active).hasSize(1);
    for (String name : List.of("base", "middle")) {
      assertThatThrownBy(() -> backend.remove(name))
          .isInstanceOfSatisfying(
              StatusRuntimeException.class,
              e -> {
                assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.FAILED_PRECONDITION);
                assertThat(e.getStatus().getDescription()).contains("remove");
              });
    }
    for (String name : List.of("top", "middle", "base")) {
      backend.remove(name);
    }
    assertThat(backend.list()).isEmpty();
  }

  @Test
  void list_withFilters() throws IOException, InterruptedException {
    committed("p", "");
    committed("p-wl", "p", "labels.l", "l", "l", "1");
    var mounts =
        List.of(
            backend.prepare("a-np", ""),
            backend.prepare("a-np-wl", "", "l", "2"),
            backend.prepare("a", "p"),
            backend.prepare("a-wl", "p-wl", "l", "3"),
            backend.view("v", "p"),
            backend.view("v-wl", "p-wl", "l", "4", "dot.ted/key", "x y"));
    assertThat(mounts).doesNotContain(List.of());
    String p = backend.backend("p");

    assertListed(List.of(), "p", "p-wl", "a-np", "a-np-wl", "a", "a-wl", "v", "v-wl");
    assertListed(
        List.of("labels.\"containerd.io/gc.root\"==2026-01-01T00:00:00Z"),
        "p",
        "p-wl",
        "a-np",
        "a-np-wl",
        "a",
        "a-wl",
        "v",
        "v-wl");
    assertListed(List.of("kind==active"), "a-np", "a-np-wl", "a", "a-wl");
    assertListed(List.of("kind==view"), "v", "v-wl");
    assertListed(List.of("kind==committed"), "p", "p-wl");
    assertListed(List.of("kind==active,labels.l"), "a-np-wl", "a-wl");
    assertListed(List.of("name==a"), "a");
    assertListed(List.of("name==a", "name==v"), "a", "v");
    assertListed(List.of("name==a,labels.l"));
    assertListed(List.of("name==a-wl,labels.l"), "a-wl");
    assertListed(List.of("parent==\"" + p + "\""), "p-wl", "a", "v");
    assertListed(List.of("parent!=\"\""), "p-wl", "a", "a-wl", "v", "v-wl");
    assertListed(List.of("parent==\"\",kind==active"), "a-np", "a-np-wl");
    assertListed(List.of("labels.l==2"), "a-np-wl");
    assertListed(List.of("labels.\"dot.ted/key\"==\"x y\""), "v-wl");
    assertListed(List.of("name~=^a-.*wl$"), "a-np-wl", "a-wl");
    assertListed(List.of("name~=/^v/"), "v", "v-wl");
    for (String broken : List.of("name=a", "name==", "==a", "name==\"a", "name~=/(/", "name a")) {
      assertFails(Status.Code.INVALID_ARGUMENT, () -> backend.list(broken));
    }
  }

  private void assertListed(List<String> filters, String... names) {
    List<Info> found = backend.list(filters.toArray(String[]::new));
    assertThat(found).as("%s", filters).extracting(Info::getName).containsExactlyInAnyOrder(names);
    assertThat(found).allSatisfy(info -> assertThat(info).isEqualTo(backend.stat(info.getName())));
  }

  @Test
  void list_ofMoreThanOneBlock_withOtherCallsInBetween() {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < 250; i++) {
      names.add("a%03d".formatted(i));
      var _ = backend.prepare(names.getLast(), "");
    }

    List<Integer> blocks = new ArrayList<>();
    List<String> seen = new ArrayList<>();
    node.client()
        .stub()
        .list(
            sluice.api.containerd.snapshots.ListSnapshotsRequest.newBuilder()
                .setSnapshotter("sluice")
                .build())
        .forEachRemaining(block -> {
          blocks.add(block.getInfoCount());
          for (Info info : block.getInfoList()) {
            seen.add(backend.stat(info.getName()).getName());
          }
        });

    assertThat(blocks).containsExactly(100, 100, 50);
    assertThat(seen).isEqualTo(names);
  }

  @Test
  void snapshotters_doNotSeeEachOther() {
    var mine = backend.prepare("same", "");
    var theirs =
        node.client()
            .stub()
            .prepare(
                sluice.api.containerd.snapshots.PrepareSnapshotRequest.newBuilder()
                    .setSnapshotter("other")
                    .setKey("same")
                    .build())
            .getMountsList();

    assertThat(theirs).hasSize(1).isNotEqualTo(mine);
    assertThat(backend.list()).hasSize(1);
  }

  @Test
  void close_twice() throws IOException, InterruptedException {
    var _ = backend.prepare("a", "");
    node.restart();
    assertThat(backend.stat("a").getName()).isEqualTo("a");
  }

  private void committed(String name, String parent, String... labels)
      throws IOException, InterruptedException {
    var _ = backend.prepare(name + "-key", parent);
    backend.commit(name, name + "-key", labels);
  }

  private static Info labelled(String name, Map<String, String> labels) {
    return Info.newBuilder().setName(name).putAllLabels(labels).build();
  }

  private static Instant instant(Timestamp timestamp) {
    return Instant.ofEpochSecond(timestamp.getSeconds(), timestamp.getNanos());
  }

  private static void assertFails(Status.Code code, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            e -> assertThat(e.getStatus().getCode()).as("%s", e.getStatus()).isEqualTo(code));
  }
}

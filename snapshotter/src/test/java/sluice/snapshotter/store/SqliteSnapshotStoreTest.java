package sluice.snapshotter.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.Repository;
import sluice.snapshotter.state.Kind;
import sluice.snapshotter.state.LazyLayer;
import sluice.snapshotter.state.Snapshot;
import sluice.snapshotter.state.SnapshotException;
import sluice.snapshotter.state.SnapshotException.Code;
import sluice.snapshotter.state.SnapshotKey;
import sluice.snapshotter.state.Usage;

final class SqliteSnapshotStoreTest {

  private static final Instant NOW = Instant.parse("2026-02-03T04:05:06.123456789Z");

  @TempDir Path directory;

  private SqliteSnapshotStore open() throws IOException {
    return SqliteSnapshotStore.open(directory.resolve("sluice.db"), InstantSource.fixed(NOW));
  }

  @Test
  void reopen_givesBackEverything() throws IOException {
    LazyLayer lazy = lazyLayer(Digest.sha256(new byte[] {6}));
    Snapshot base;
    Snapshot local;
    Snapshot active;
    try (SqliteSnapshotStore store = open()) {
      base = store.commitLazy(key("base"), null, Map.of("a", "ä\n\"'"), lazy);
      var _ = store.create(key("k"), Kind.ACTIVE, "base", Map.of("lost", "x"));
      local = store.commit(key("k"), "local", Map.of("kept", ""), new Usage(4096, 3));
      active = store.create(key("k"), Kind.ACTIVE, "local", Map.of());
    }
    try (SqliteSnapshotStore store = open()) {
      assertThat(store.chain(key("k"))).containsExactly(base, local, active);
      assertThat(store.all()).containsExactly(base, local, active);
      assertThat(store.list("s")).containsExactly(base, active, local);
      assertThat(store.ids()).isEqualTo(Set.of(base.id(), local.id(), active.id()));
      assertThat(store.list("other")).isEmpty();
    }
    assertThat(base.lazy()).isEqualTo(lazy);
    assertThat(base.createdAt()).isEqualTo(NOW);
    assertThat(local.labels()).isEqualTo(Map.of("kept", ""));
    assertThat(local.usage()).isEqualTo(new Usage(4096, 3));
    assertThat(active.id()).isGreaterThan(local.id());
  }

  @Test
  void id_isNeverUsedAgain() throws IOException {
    try (SqliteSnapshotStore store = open()) {
      long first = store.create(key("a"), Kind.ACTIVE, null, Map.of()).id();
      store.remove(key("a"));
      assertThat(store.create(key("a"), Kind.ACTIVE, null, Map.of()).id()).isGreaterThan(first);
    }
  }

  @Test
  void change_thatFails_changesNothing() throws IOException {
    try (SqliteSnapshotStore store = open()) {
      Snapshot active = store.create(key("a"), Kind.ACTIVE, null, Map.of("l", "1"));
      assertThatThrownBy(() ->
              store.update(
                  key("a"),
                  labels -> {
                    throw new SnapshotException(Code.INVALID_ARGUMENT, "no");
                  }))
          .hasMessage("no");
      assertCode(Code.ALREADY_EXISTS, () -> store.commit(key("a"), "a", Map.of(), Usage.NONE));
      assertThat(store.find(key("a"))).contains(active);
    }
  }

  @Test
  void lazyName_thatExists_staysAsItWas() throws IOException {
    try (SqliteSnapshotStore store = open()) {
      Snapshot first = store.commitLazy(key("l"), null, Map.of("n", "1"), lazyLayer(null));
      assertCode(
          Code.ALREADY_EXISTS,
          () -> store.commitLazy(key("l"), null, Map.of("n", "2"), lazyLayer(null)));
      assertThat(store.find(key("l"))).contains(first);
    }
  }

  @Test
  void databaseThatIsDamaged_saysWhatToDo() throws IOException {
    Path file = directory.resolve("sluice.db");
    Files.writeString(file, "no database at all, but as long as one ".repeat(100));
    assertThatThrownBy(this::open)
        .isInstanceOfSatisfying(
            SnapshotException.class, e -> assertThat(e.code()).isEqualTo(Code.DATA_LOSS))
        .hasMessageContaining(file.toString())
        .hasMessageContaining("move its root directory away");
  }

  @Test
  void pageThatIsDamaged_isDataLoss() throws IOException {
    Path file = directory.resolve("sluice.db");
    try (SqliteSnapshotStore store = open()) {
      for (int i = 0; i < 200; i++) {
        var _ = store.create(key("k" + i), Kind.ACTIVE, null, Map.of("x", "y".repeat(100)));
      }
    }
    byte[] bytes = Files.readAllBytes(file);
    Arrays.fill(bytes, 2 * 4096, bytes.length, (byte) 0xff);
    Files.write(file, bytes);
    try (SqliteSnapshotStore store = open()) {
      assertCode(Code.DATA_LOSS, store::all);
    }
  }

  @Test
  void databaseOfNewerVersion_isLeftAlone() throws Exception {
    open().close();
    try (Connection connection =
            DriverManager.getConnection("jdbc:sqlite:" + directory.resolve("sluice.db"));
        Statement statement = connection.createStatement()) {
      statement.execute("PRAGMA user_version = 99");
    }
    assertThatThrownBy(this::open).hasMessageContaining("written by a newer Sluice");
  }

  @Test
  void databaseOfSomebodyElse_isLeftAlone() throws Exception {
    try (Connection connection =
            DriverManager.getConnection("jdbc:sqlite:" + directory.resolve("sluice.db"));
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE TABLE t (x)");
      statement.execute("PRAGMA user_version = 1");
    }
    assertThatThrownBy(this::open).hasMessageContaining("not Sluice's");
  }

  private static LazyLayer lazyLayer(@Nullable Digest imageTree) {
    Digest digest = Digest.sha256(new byte[] {1, 2, 3});
    return new LazyLayer(
        digest,
        Digest.sha256(new byte[] {4}),
        new Descriptor(
            "application/vnd.oci.image.layer.v1.tar+gzip",
            digest,
            1L << 40,
            Map.of("containerd.io/snapshot/nydus-blob", "true"),
            List.of(URI.create("https://example.test/blob")),
            null,
            null),
        Set.of(
            new Repository.InRegistry("registry.test:5000", "a/b"),
            new Repository.InLayout(Path.of("/layout"))),
        Digest.sha256(new byte[] {5}),
        "rafs",
        Digest.sha256(new byte[] {6}),
        imageTree,
        "registry.test:5000/a/b:1");
  }

  private static SnapshotKey key(String name) {
    return new SnapshotKey("s", name);
  }

  private static void assertCode(Code code, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(SnapshotException.class, e -> assertThat(e.code()).isEqualTo(code));
  }
}

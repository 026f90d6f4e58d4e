package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static sluice.command.Change.all;
import static sluice.command.Change.directory;
import static sluice.command.Change.file;
import static sluice.command.Change.mode;
import static sluice.command.Change.owner;
import static sluice.command.Change.remove;
import static sluice.command.Change.rename;
import static sluice.testing.ListingAssert.assertThatTree;

import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;
import sluice.api.containerd.snapshots.Info;
import sluice.api.containerd.snapshots.Kind;
import sluice.api.containerd.types.Mount;
import sluice.command.SuiteBackend.Laziness;
import sluice.testing.DockerRegistry;
import sluice.testing.ListingAssert.Loss;
import sluice.testing.Mounted;
import sluice.testing.TreeListing;

/**
 * What a container sees: the cases Basic, LayerFileupdate, RemoveDirectoryInLowerLayer, Chown,
 * DirectoryPermissionOnCommit, DeletedFilesInChildSnapshot, MoveFileFromLowerLayer, ViewReadonly,
 * RootPermission, Rename and 128LayersMount of containerd's suite. Each tree is compared with a
 * plain directory to which the same was done.
 *
 * <p>They run three times: with local layers, with each case's base in a registry and lazy, and
 * with every layer in a registry and lazy.
 */
@ParameterizedClass
@EnumSource(Laziness.class)
final class LayerContentIT {

  private static DockerRegistry registry;

  private final Laziness laziness;
  private SuiteNode node;
  private SuiteBackend backend;
  private int plainDirectories;

  LayerContentIT(Laziness laziness) {
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
  void basic() throws IOException, InterruptedException {
    Change initial = all(file("foo", "foo\n"), directory("a/b/c", "rwxr-xr-x"));
    Change diff = all(file("bar", "bar\n"), remove("a/b"));

    write("preparing", "", initial);
    backend.commit("committed", "preparing");
    assertThat(backend.stat("committed").getKind()).isEqualTo(Kind.COMMITTED);
    assertThatThrownBy(() -> backend.stat("preparing")).isInstanceOf(StatusRuntimeException.class);

    try (Mounted next = backend.mount(backend.prepare("next", "committed"))) {
      assertSame(next.target(), initial);
      assertThat(backend.mounts("next")).isEqualTo(backend.mounts("next"));
      diff.apply(next.target());
    }
    Info active = backend.stat("next");
    assertThat(active.getParent()).isEqualTo("committed");
    assertThat(active.getKind()).isEqualTo(Kind.ACTIVE);
    backend.commit("next-committed", "next");
    assertThat(backend.list())
        .containsExactlyInAnyOrder(backend.stat("committed"), backend.stat("next-committed"));

    assertViewed("next-committed", initial, diff);
    assertThat(backend.list()).hasSize(2);
  }

  @Test
  void layerFileUpdate_acrossSeconds() throws Exception {
    Change below =
        all(
            directory("etc", "rwx------"),
            file("etc/hosts", "mydomain 10.0.0.1"),
            file("etc/profile", "PATH=/usr/bin"));
    Change above =
        all(
            file("etc/hosts", "mydomain 10.0.0.2"),
            file("etc/profile", "PATH=/usr/bin"),
            directory("root", "rwx------"),
            file("root/.bashrc", "PATH=/usr/sbin:/usr/bin"));
    for (int round = 0; round < 5; round++) {
      assertLayers("update" + round, below, above);
      Thread.sleep(1000 - System.currentTimeMillis() % 1000);
    }
  }

  @Test
  void removeDirectoryInLowerLayer() throws IOException, InterruptedException {
    assertLayers(
        "rm",
        all(directory("lib", "rwx------"), file("lib/hidden", "")),
        all(remove("lib")),
        all(directory("lib", "rwx------"), file("lib/not-hidden", "")));
  }

  @Test
  void chown() throws IOException, InterruptedException {
    assertLayers(
        "chown",
        all(
            directory("opt/a/b", "rwx------"),
            directory("opt/c", "rwxr-xr-x"),
            file("opt/a/file", "hello"),
            file("opt/c/file", "x")),
        all(owner("opt", 1, 1), owner("opt/a", 1, 0), owner("opt/a/file", 2, 3)),
        all(owner("opt/c/file", 4_000_000, 5)));
  }

  @Test
  void directoryPermissionOnCommit() throws IOException, InterruptedException {
    assertLayers(
        "dir",
        all(
            directory("dir1", "rwx------"),
            directory("dir2", "rwx------"),
            directory("dir3", "rwx------"),
            directory("dir4", "rwx------"),
            file("dir4/f1", "..."),
            directory("dir5", "rwx------"),
            file("dir5/f1", "..."),
            mode("dir5", "r-xr-xr-x"),
            owner("dir3", 1, 1)),
        all(
            mode("dir1", "rwxr-x---"),
            owner("dir2", 1, 1),
            mode("dir3", "rwxrwxrwx"),
            file("dir4/f2", "..."),
            file("dir5/f2", "...")),
        all(owner("dir4", 2, 2), mode("dir5", "rwx--x--x")));
  }

  @Test
  void deletedFilesInChildSnapshot() throws IOException, InterruptedException {
    assertLayers(
        "deleted",
        all(
            file("foobar", "xx"),
            file("bar", "bar"),
            directory("etc", "rwxr-xr-x"),
            file("etc/hosts", "127.0.0.1 localhost")),
        all(remove("foobar"), remove("etc/hosts")),
        all(file("foobar", "2nd"), file("b", "x")));
  }

  @Test
  void moveFileFromLowerLayer() throws IOException, InterruptedException {
    assertLayers(
        "move",
        all(
            directory("dir1", "rwx------"),
            file("dir1/f1", "Hello"),
            directory("dir2", "rwxr-xr-x")),
        all(rename("dir1/f1", "dir2/f1"), file("dir1/f1", "again")));
  }

  @Test
  void rename_ofFilesAndNewDirectories() throws IOException, InterruptedException {
    assertLayers(
        "rename",
        all(directory("dir1", "rwx------"), file("somefiles1", "was here"), file("f2", "second")),
        all(
            rename("somefiles1", "dir1/somefiles2"),
            directory("new/below", "rwxr-x---"),
            file("new/below/file", "x"),
            rename("new", "dir1/old"),
            rename("f2", "f3")));
  }

  @Test
  void rootPermission() throws IOException, InterruptedException {
    try (Mounted fresh = backend.mount(backend.prepare("fresh", ""))) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(fresh.target())))
          .isEqualTo("rwxr-xr-x");
    }
  }

  @Test
  void rootOfTheLayerBelow_isTakenOver() throws IOException, InterruptedException {
    assertLayers(
        "root", all(mode("", "rwxr-x--x"), owner("", 12, 34), file("x", "")), file("y", ""));
    try (Mounted next = backend.mount(backend.prepare("next", "root-1"))) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(next.target())))
          .isEqualTo("rwxr-x--x");
      assertThat(Files.getAttribute(next.target(), "unix:gid")).isEqualTo(34);
    }
  }

  @Test
  void removeIntermediateSnapshot() throws IOException, InterruptedException {
    write("base-key", "", file("base", "x"));
    backend.commit("base", "base-key");
    write("middle-key", "base", file("middle", "x"));
    backend.commit("middle", "middle-key");
    write("top", "middle", file("top", "x"));

    assertThatThrownBy(() -> backend.remove("middle")).hasMessageContaining("remove");
    for (String name : List.of("top", "middle", "base")) {
      backend.remove(name);
    }
    backend.cleanup();
    assertThat(node.kept()).isEmpty();
  }

  @Test
  void view_isReadOnly() throws IOException, InterruptedException {
    write("a", "", file("foo", "x"));
    backend.commit("one", "a");
    write("b", "one", file("bar", "y"));
    backend.commit("two", "b");
    for (String parent : List.of("", "one", "two")) {
      try (Mounted view = backend.mount(backend.view("view" + parent, parent))) {
        assertThatThrownBy(() -> Files.writeString(view.target().resolve("new"), "x"))
            .isInstanceOf(FileSystemException.class)
            .hasMessageContaining("Read-only");
      }
    }
  }

  @Test
  void manyLayers_128() throws IOException, InterruptedException {
    List<Change> layers = new ArrayList<>();
    layers.add(
        all(
            file("bottom", "way at the bottom\n"),
            file("overwriteme", "FIRST!\n"),
            directory("ADDHERE", "rwxr-xr-x"),
            directory("ONLYME", "rwxr-xr-x"),
            file("ONLYME/bottom", "bye!\n")));
    for (int i = 1; i < 128; i++) {
      layers.add(
          all(
              file("overwriteme", i + " WAS HERE!\n"),
              file("ADDHERE/file-" + i, "file " + i),
              remove("ONLYME"),
              directory("ONLYME", "rwxr-xr-x"),
              file("ONLYME/file-" + i, "only me " + i)));
    }
    String parent = "";
    for (int i = 0; i < layers.size(); i++) {
      write("key" + i, parent, layers.get(i));
      parent = "layer" + i;
      backend.commit(parent, "key" + i);
    }
    assertViewed(parent, layers.toArray(Change[]::new));
    try (Mounted top = backend.mount(backend.prepare("top", parent))) {
      assertSame(top.target(), all(layers));
    }
  }

  @Test
  void usage_isOfTheSnapshotAlone() throws IOException, InterruptedException {
    write("a", "", file("big", "x".repeat(100_000)));
    assertThat(backend.usage("a").getSize()).isBetween(100_000L, 120_000L);
    assertThat(backend.usage("a").getInodes()).isEqualTo(2);
    backend.commitLocally("one", "a", "");
    assertThat(backend.usage("one").getSize()).isBetween(100_000L, 120_000L);
    write("b", "one", file("small", "x"));
    assertThat(backend.usage("b").getSize()).isLessThan(20_000);
    assertThatThrownBy(() -> backend.usage("none")).hasMessageContaining("NOT_FOUND");
  }

  /** Applies one change a layer; each committed chain shows what a plain directory does. */
  private void assertLayers(String name, Change... layers)
      throws IOException, InterruptedException {
    String parent = "";
    for (int i = 0; i < layers.length; i++) {
      Change[] sofar = List.of(layers).subList(0, i + 1).toArray(Change[]::new);
      String key = name + "-key-" + i;
      List<Mount> mounts = backend.prepare(key, parent);
      try (Mounted mounted = backend.mount(mounts)) {
        layers[i].apply(mounted.target());
        assertSame(mounted.target(), sofar);
      }
      parent = name + "-" + i;
      backend.commit(parent, key);
      assertViewed(parent, sofar);
    }
  }

  private void write(String key, String parent, Change change)
      throws IOException, InterruptedException {
    try (Mounted mounted = backend.mount(backend.prepare(key, parent))) {
      change.apply(mounted.target());
    }
  }

  private void assertViewed(String parent, Change... changes)
      throws IOException, InterruptedException {
    String key = "view-of-" + parent;
    try (Mounted view = backend.mount(backend.view(key, parent))) {
      assertSame(view.target(), changes);
    }
    backend.remove(key);
  }

  private void assertSame(Path actual, Change... changes) throws IOException, InterruptedException {
    Path plain = Files.createDirectories(node.work().resolve("plain" + plainDirectories++));
    Files.setPosixFilePermissions(plain, PosixFilePermissions.fromString("rwxr-xr-x"));
    all(changes).apply(plain);
    assertThatTree(TreeListing.of(actual))
        .losing(Loss.TIMES, Loss.LINK_COUNTS)
        .isTree(TreeListing.of(plain));
  }
}

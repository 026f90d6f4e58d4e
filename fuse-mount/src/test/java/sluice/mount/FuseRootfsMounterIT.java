package sluice.mount;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static sluice.testing.ListingAssert.assertThatTree;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sluice.core.CorruptException;
import sluice.core.RootfsMounter.Mounted;
import sluice.fuse.FuseListener;
import sluice.fuse.FuseMounts;
import sluice.fuse.FuseOptions;
import sluice.fuse.MkfsImage;
import sluice.linux.DeadMounts;
import sluice.linux.Linux;
import sluice.linux.MountTable;
import sluice.testing.TreeListing;

final class FuseRootfsMounterIT {

  /** Images of mkfs.erofs do not say that they hold no ACLs. */
  private static final String NODE = "node-acl";

  private static final int LEFT = 24;

  @TempDir Path scratch;
  private FuseRootfsMounter mounter;

  @BeforeEach
  void start() {
    mounter =
        new FuseRootfsMounter(
            scratch.resolve("node"), FuseOptions.forContainers(), FuseListener.NONE);
  }

  @AfterEach
  void stop() throws IOException {
    mounter.close();
    DeadMounts.clearBelow(scratch, FuseMounts.TYPE);
  }

  @Test
  void mount_twoImages_showsEachAtItsTarget() throws Exception {
    Path one = tree("one");
    Path two = tree("two");
    Mounted first = mount(one, "m1");
    Mounted second = mount(two, "m2");

    assertThatTree(TreeListing.of(first.target())).isTree(TreeListing.of(one));
    assertThatTree(TreeListing.of(second.target())).isTree(TreeListing.of(two));
    assertThat(scratch.resolve(NODE).toFile().list()).containsExactlyInAnyOrder("m1", "m2");
  }

  @Test
  void mount_anImageOfTheSameName_comesBesideIt() throws Exception {
    Mounted first = mount(tree("one"), "a/rootfs");
    Mounted second = mount(tree("two"), "b/rootfs");

    assertThat(first.target().resolve("name")).hasContent("one");
    assertThat(second.target().resolve("name")).hasContent("two");
  }

  @Test
  void close_whileAFileIsOpen_letsItBeRead() throws Exception {
    Mounted mounted = mount(tree("one"), "m1");
    try (FileChannel open = FileChannel.open(mounted.target().resolve("name"))) {
      mounted.close();

      ByteBuffer bytes = ByteBuffer.allocate(16);
      assertThat(open.read(bytes)).isEqualTo(3);
      assertThat(MountTable.at(mounted.target())).isEmpty();
      assertThat(scratch.resolve(NODE).toFile().list()).isEmpty();
    }
  }

  @Test
  void mount_afterAnotherWasClosedThere_showsTheNewTree() throws Exception {
    mount(tree("one"), "m1").close();
    assertThat(scratch.resolve(NODE).resolve("m1")).doesNotExist();

    Mounted again = mount(tree("two"), "m1");

    assertThat(again.target().resolve("name")).hasContent("two");
  }

  @Test
  void mount_notAnImage_isRefused() throws Exception {
    Path junk = Files.write(scratch.resolve("junk"), new byte[8192]);
    Path target = Files.createDirectory(scratch.resolve("m1"));

    assertThatThrownBy(() -> mounter.mount(junk, List.of(), target))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining(junk.toString());
    assertThat(MountTable.at(target)).isEmpty();
  }

  @Test
  void mount_otherDevicesThanTheImageHas_isRefused() throws Exception {
    MkfsImage image = MkfsImage.pack(tree("one"), scratch, "image");
    Path target = Files.createDirectory(scratch.resolve("m1"));

    assertThatThrownBy(() -> mounter.mount(image.metadata(), List.of(), target))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("1 slots, expected 0");
  }

  @Test
  void close_theMounter_leavesNoMount() throws Exception {
    Mounted mounted = mount(tree("one"), "m1");

    mounter.close();

    assertThat(MountTable.at(mounted.target())).isEmpty();
    assertThat(MountTable.at(scratch.resolve(NODE))).isEmpty();
  }

  @Test
  void mount_whereADeadProcessLeftItsMounts_replacesThem() throws Exception {
    MkfsImage image = MkfsImage.pack(tree("one"), scratch, "image");
    Path target = Files.createDirectory(scratch.resolve("m1"));
    Process left = leave(image, target);
    try {
      until(() -> Files.exists(target.resolve("name")), "the process has mounted it");
      assertThat(target.resolve("name")).hasContent("one");
      assertThatThrownBy(() -> mounter.mount(image.metadata(), image.devices(), target))
          .hasMessageContaining("is being served");
    } finally {
      left.destroyForcibly().waitFor();
    }
    Path other = Files.createDirectory(scratch.resolve("m2"));
    mounter.mount(image.metadata(), image.devices(), other);
    assertThat(MountTable.at(target)).isEmpty();
    Mounted mounted = mounter.mount(image.metadata(), image.devices(), target);

    assertThat(mounted.target().resolve("name")).hasContent("one");
  }

  @Test
  void close_whenTheKernelHasForgottenTheNodes_closesTheDevice() throws Exception {
    MkfsImage image = MkfsImage.pack(tree("one"), scratch, "image");
    Path target = Files.createDirectory(scratch.resolve("m1"));
    Mounted mounted = mounter.mount(image.metadata(), image.devices(), target);
    assertThatTree(TreeListing.of(target)).isTree(TreeListing.of(scratch.resolve("tree-one")));
    assertThat(isOpen(image.device().file())).isTrue();

    mounted.close();

    until(() -> !isOpen(image.device().file()), "the device is closed");
  }

  @Test
  void close_whileAFileIsOpen_keepsTheDeviceUntilTheEnd() throws Exception {
    MkfsImage image = MkfsImage.pack(tree("one"), scratch, "image");
    Path target = Files.createDirectory(scratch.resolve("m1"));
    Mounted mounted = mounter.mount(image.metadata(), image.devices(), target);
    try (FileChannel open = FileChannel.open(target.resolve("dir/sub/data"))) {
      assertThat(open.read(ByteBuffer.allocate(10))).isEqualTo(10);
      mounted.close();
      Thread.sleep(200);
      assertThat(isOpen(image.device().file())).isTrue();
      assertThat(open.read(ByteBuffer.allocate(10), 50_000)).isEqualTo(10);
    }

    mounter.close();

    assertThat(isOpen(image.device().file())).isFalse();
  }

  @Test
  void mount_manyAtOnceWhereADeadProcessLeftItsMounts_replacesAll() throws Exception {
    MkfsImage image = MkfsImage.pack(tree("one"), scratch, "image");
    Path first = Files.createDirectory(scratch.resolve("m1"));
    List<Path> targets = new ArrayList<>();
    Process left = leave(image, first);
    try {
      until(() -> Files.exists(first.resolve("name")), "the process has mounted it");
      for (int i = 0; i < LEFT; i++) {
        Path target = Files.createDirectory(scratch.resolve("left" + i));
        Linux.mount(first.toString(), target, null, Linux.MS_BIND, null);
        targets.add(target);
      }
    } finally {
      left.destroyForcibly().waitFor();
    }

    try (ExecutorService threads = Executors.newFixedThreadPool(LEFT)) {
      List<Future<Mounted>> mounted = new ArrayList<>();
      for (Path target : targets) {
        mounted.add(threads.submit(() -> mounter.mount(image.metadata(), image.devices(), target)));
      }
      for (Future<Mounted> one : mounted) {
        assertThat(one.get().target().resolve("name")).hasContent("one");
      }
    }
  }

  @Test
  void mount_afterSomebodyEndedTheSession_isServedAgain() throws Exception {
    MkfsImage image = MkfsImage.pack(tree("one"), scratch, "image");
    Path target = Files.createDirectory(scratch.resolve("m1"));
    Mounted mounted = mounter.mount(image.metadata(), image.devices(), target);
    assertThat(mounted.alive()).isTrue();

    Linux.unmount(scratch.resolve(NODE), Linux.MNT_FORCE | Linux.MNT_DETACH);

    until(() -> !mounted.alive(), "its end is seen");
    mounted.close();
    Mounted again = mounter.mount(image.metadata(), image.devices(), target);
    assertThat(again.target().resolve("name")).hasContent("one");
  }

  private Process leave(MkfsImage image, Path target) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            "sluice.mount.LeftMount",
            scratch.resolve("node").toString(),
            image.metadata().toString(),
            image.device().file().toString(),
            target.toString())
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .start();
  }

  private interface Condition {
    boolean holds() throws IOException;
  }

  private static void until(Condition condition, String what) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (!condition.holds()) {
      assertThat(System.nanoTime() - deadline).as("waited in vain until %s", what).isNegative();
      Thread.sleep(20);
    }
  }

  private static boolean isOpen(Path file) throws IOException {
    try (DirectoryStream<Path> open = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
      for (Path fd : open) {
        if (Files.isSymbolicLink(fd) && Files.readSymbolicLink(fd).equals(file)) {
          return true;
        }
      }
    }
    return false;
  }

  private Path tree(String name) throws IOException {
    Path tree = Files.createDirectory(scratch.resolve("tree-" + name));
    Files.writeString(tree.resolve("name"), name);
    Files.createDirectories(tree.resolve("dir/sub"));
    Files.write(tree.resolve("dir/sub/data"), new byte[100_000]);
    return tree;
  }

  private Mounted mount(Path tree, String target) throws Exception {
    MkfsImage image = MkfsImage.pack(tree, scratch, tree.getFileName().toString());
    return mounter.mount(
        image.metadata(), image.devices(), Files.createDirectories(scratch.resolve(target)));
  }
}

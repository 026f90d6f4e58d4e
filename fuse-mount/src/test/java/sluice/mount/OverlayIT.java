package sluice.mount;

import static org.assertj.core.api.Assertions.assertThat;
import static sluice.testing.ListingAssert.assertThatTree;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sluice.core.RootfsMounter;
import sluice.fuse.FuseListener;
import sluice.fuse.FuseOptions;
import sluice.fuse.MkfsImage;
import sluice.fuse.Posix;
import sluice.fuse.Transport;
import sluice.linux.Linux;
import sluice.testing.TreeListing;

/** An image as the lower directory of an overlay, as containers use it. */
final class OverlayIT {

  @TempDir Path scratch;
  private Path tree;
  private Path merged;
  private RootfsMounter mounter;
  private RootfsMounter.Mounted image;

  @BeforeEach
  void mount() throws Exception {
    tree = Files.createDirectory(scratch.resolve("tree"));
    SampleTree.createAll(tree);
    mounter =
        FuseMounters.forNode(
            Transport.RAW, scratch.resolve("node"), FuseOptions.forContainers(), FuseListener.NONE);
    MkfsImage packed = MkfsImage.pack(tree, scratch, "image");
    Path lower = Files.createDirectory(scratch.resolve("lower"));
    image = mounter.mount(packed.metadata(), packed.devices(), lower);
    merged = Files.createDirectory(scratch.resolve("merged"));
    Path upper = Files.createDirectory(scratch.resolve("upper"));
    Path work = Files.createDirectory(scratch.resolve("work"));
    Linux.mount(
        "overlay",
        merged,
        "overlay",
        0,
        "lowerdir=%s,upperdir=%s,workdir=%s".formatted(lower, upper, work));
  }

  @AfterEach
  void unmount() throws IOException {
    try {
      Linux.unmount(merged, Linux.MNT_DETACH);
    } finally {
      mounter.close();
    }
  }

  @Test
  void list_throughTheOverlay_isTheTree() throws Exception {
    // Its root is the new, empty upper directory.
    assertThatTree(TreeListing.of(merged)).ignoringTimesOf("").isTree(TreeListing.of(tree));
  }

  @Test
  void change_throughTheOverlay_keepsWhatIsNotChanged() throws Exception {
    Path file = merged.resolve("attributes");
    Files.setAttribute(file, "unix:mode", 0600);
    Files.writeString(merged.resolve("data/deep/er/file"), "changed");
    Files.delete(merged.resolve("data/random"));
    Files.createDirectory(merged.resolve("data/deep/new"));

    assertThat(file).hasContent("a");
    assertThat(Posix.getxattr(file, "user.long", 0)).isEqualTo(2000);
    assertThat(Files.getAttribute(file, "unix:uid")).isEqualTo(70_000);
    assertThat(merged.resolve("data/deep/er/file")).hasContent("changed");
    assertThat(merged.resolve("data/random")).doesNotExist();
    assertThat(merged.resolve("data/size-4097")).hasSize(4097);
  }

  @Test
  void close_ofTheImageUnderTheOverlay_letsItRead() throws Exception {
    image.close();

    assertThat(merged.resolve("data/random")).hasSameBinaryContentAs(tree.resolve("data/random"));
    assertThat(merged.resolve("data/deep/er/file")).hasContent("deep");
  }
}

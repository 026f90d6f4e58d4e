package sluice.fuse.raw;

import static org.assertj.core.api.Assertions.assertThat;
import static sluice.testing.ListingAssert.assertThatTree;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sluice.core.Bytes;
import sluice.fuse.FuseListener;
import sluice.fuse.FuseOptions;
import sluice.fuse.ImageFileSystem;
import sluice.fuse.MkfsImage;
import sluice.linux.MountTable;
import sluice.testing.TreeListing;

final class RawFuseSessionIT {

  @TempDir Path scratch;

  @Test
  void mount_anImage_showsTheTreeItWasMadeOf() throws Exception {
    Path tree = Files.createDirectory(scratch.resolve("tree"));
    Files.createDirectories(tree.resolve("a/b"));
    Files.writeString(tree.resolve("a/hello"), "hello\n");
    Files.write(tree.resolve("a/b/big"), new byte[3_000_000]);
    Files.createSymbolicLink(tree.resolve("a/link"), Path.of("b/big"));
    Files.createLink(tree.resolve("a/twin"), tree.resolve("a/hello"));
    MkfsImage image = MkfsImage.pack(tree, scratch, "image");
    Path target = Files.createDirectory(scratch.resolve("mnt"));

    ImageFileSystem files =
        ImageFileSystem.open("test", image.metadata(), image.devices(), Bytes.EMPTY);
    try (RawFuseSession session =
        RawFuseSession.mount(target, files, FuseOptions.forUsers(), FuseListener.NONE)) {
      assertThatTree(TreeListing.of(session.target())).isTree(TreeListing.of(tree));
    }
    assertThat(MountTable.at(target)).isEmpty();
  }
}

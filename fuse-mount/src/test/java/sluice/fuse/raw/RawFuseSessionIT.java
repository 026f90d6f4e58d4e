package sluice.fuse.raw;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static sluice.testing.ListingAssert.assertThatTree;

import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAccumulator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sluice.core.Bytes;
import sluice.fuse.FuseListener;
import sluice.fuse.FuseOptions;
import sluice.fuse.ImageFileSystem;
import sluice.fuse.MkfsImage;
import sluice.linux.LinuxException;
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

  @Test
  void mount_readsAhead_inLargeRequests() throws Exception {
    Path tree = Files.createDirectory(scratch.resolve("tree"));
    byte[] content = new byte[16 << 20];
    new Random(1).nextBytes(content);
    Files.write(tree.resolve("file"), content);
    MkfsImage image = MkfsImage.pack(tree, scratch, "image");
    Path target = Files.createDirectory(scratch.resolve("mnt"));
    LongAccumulator largest = new LongAccumulator(Math::max, 0);
    FuseListener listener =
        new FuseListener() {
          @Override
          public void read(Source source, int bytes, long nanos) {
            largest.accumulate(bytes);
          }
        };

    ImageFileSystem files =
        ImageFileSystem.open("test", image.metadata(), image.devices(), Bytes.EMPTY);
    try (RawFuseSession session =
        RawFuseSession.mount(target, files, FuseOptions.forUsers(), listener)) {
      assertThat(session.target().resolve("file")).hasBinaryContent(content);
      String device = MountTable.at(target).orElseThrow().device();
      assertThat(Path.of("/sys/class/bdi", device, "read_ahead_kb")).content().startsWith("1024");
    }
    assertThat(largest.get()).isGreaterThan(256 << 10);
  }

  @Test
  void metadataThatCannotBeReadAnyMore_isAnErrorOfTheReader() throws Exception {
    Path tree = Files.createDirectory(scratch.resolve("tree"));
    for (int i = 0; i < 2000; i++) {
      Files.writeString(tree.resolve("file-of-a-longish-name-" + i), "content");
    }
    MkfsImage image = MkfsImage.pack(tree, scratch, "image");
    Path target = Files.createDirectory(scratch.resolve("mnt"));
    ImageFileSystem files =
        ImageFileSystem.open("test", image.metadata(), image.devices(), Bytes.EMPTY);
    try (RawFuseSession session =
            RawFuseSession.mount(target, files, FuseOptions.forUsers(), FuseListener.NONE);
        FileChannel metadata = FileChannel.open(image.metadata(), StandardOpenOption.WRITE)) {
      // As a disk that fails below a mapped file does, this makes SIGBUS of a look at it.
      metadata.truncate(4096);
      Process reader =
          new ProcessBuilder("ls", "-l", session.target().toString())
              .redirectErrorStream(true)
              .start();

      assertThat(reader.waitFor(20, TimeUnit.SECONDS)).as("ls ends").isTrue();
      assertThat(reader.exitValue()).isNotZero();
      assertThat(reader.inputReader().readLine()).contains("Input/output error");
    }
  }

  @Test
  void mount_whereNoDirectoryIs_saysWhatToDo() throws Exception {
    Path tree = Files.createDirectory(scratch.resolve("tree"));
    Files.createDirectory(tree.resolve("a"));
    MkfsImage image = MkfsImage.pack(tree, scratch, "image");
    ImageFileSystem files =
        ImageFileSystem.open("test", image.metadata(), image.devices(), Bytes.EMPTY);

    assertThatThrownBy(() ->
            RawFuseSession.mount(
                scratch.resolve("nowhere"), files, FuseOptions.forUsers(), FuseListener.NONE))
        .isInstanceOf(LinuxException.class)
        .hasMessageContaining("the directory must exist");
  }
}

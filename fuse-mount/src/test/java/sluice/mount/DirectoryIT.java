package sluice.mount;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.io.TempDir;
import sluice.core.RootfsMounter;
import sluice.fuse.FuseListener;
import sluice.fuse.FuseOptions;
import sluice.fuse.MkfsImage;
import sluice.fuse.Transport;
import sluice.linux.Linux;

/**
 * The contract on both transports, with an image that mkfs.erofs made of a directory, and on that
 * directory itself: the oracle.
 */
final class DirectoryIT {

  private interface Undo {
    void run() throws IOException;
  }

  @TempDir private static Path scratch;

  /** What is to be undone, last first. */
  private static final Deque<Undo> UNDO = new ArrayDeque<>();

  @BeforeAll
  static void mount() throws Exception {
    UNDO.push(() -> SampleTree.release(tree()));
    SampleTree.create(tree());
    MkfsImage image = MkfsImage.pack(tree(), scratch, "image");
    mountPlain(Files.createDirectory(mounted("plain")));
    mount(Transport.RAW, image, Files.createDirectory(mounted("raw")));
    mount(Transport.JNR, image, Files.createDirectory(mounted("jnr")));
  }

  private static void mountPlain(Path target) throws IOException {
    String source = tree().toString();
    long readOnly = Linux.MS_BIND | Linux.MS_REMOUNT | Linux.MS_RDONLY;
    Linux.mount(source, target, null, Linux.MS_BIND, null);
    UNDO.push(() -> Linux.unmount(target, Linux.MNT_DETACH));
    Linux.mount(source, target, null, readOnly, null);
    Path many = target.resolve(SampleTree.MANY_NAME);
    Linux.mount(tree().resolve(SampleTree.MANY_NAME).toString(), many, null, Linux.MS_BIND, null);
    UNDO.push(() -> Linux.unmount(many, Linux.MNT_DETACH));
  }

  private static void mount(Transport transport, MkfsImage image, Path target) throws IOException {
    RootfsMounter mounter =
        FuseMounters.forNode(
            transport, scratch.resolve("node"), FuseOptions.forContainers(), FuseListener.NONE);
    UNDO.push(mounter::close);
    mounter.mount(image.metadata(), image.devices(), target);
  }

  @AfterAll
  static void unmount() throws IOException {
    while (!UNDO.isEmpty()) {
      UNDO.pop().run();
    }
  }

  private static Path tree() {
    return scratch.resolve("tree");
  }

  private static Path mounted(String how) {
    return scratch.resolve("mounted-" + how);
  }

  @Nested
  final class Plain extends DirectoryContract {
    Plain() {
      super(tree(), mounted("plain"));
    }
  }

  @Nested
  final class Raw extends DirectoryContract {
    Raw() {
      super(tree(), mounted("raw"));
    }
  }

  @Nested
  final class Jnr extends DirectoryContract {
    Jnr() {
      super(tree(), mounted("jnr"));
    }
  }
}

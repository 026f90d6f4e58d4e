package sluice.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sluice.core.Bytes;
import sluice.erofs.Attributes;
import sluice.erofs.DirectoryWalk.End;
import sluice.erofs.DirectoryWalk.Walked;

/** Directories that a shell made, with all that root may give them. */
final class LocalDirectoriesIT {

  private final LocalDirectories directories = new LocalDirectories();

  @TempDir private Path root = Path.of("");

  @Test
  void walk_ofDirectories_readsEveryAttribute() throws Exception {
    shell(
        """
        mkdir -p a/b
        chmod 2751 a/b
        chown 4000000000:70000 a/b
        setfattr -n user.a -v 1 a/b
        setfattr -n trusted.t -v '' a/b
        setfattr -n security.x -v 0x00ff a/b
        setfattr -n trusted.overlay.opaque -v y a
        setfacl -m u:7:rwx a
        touch -d '1969-12-31 23:59:58.25 UTC' a/b
        """);

    Walked walked = directories.walk(root, Bytes.utf8("a/b"));

    assertThat(walked.end()).isEqualTo(End.DIRECTORY);
    assertThat(walked.directories()).hasSize(3);
    assertThat(walked.directories().get(1).xattrs())
        .containsKey(Bytes.utf8("system.posix_acl_access"))
        .contains(entry(Bytes.utf8("trusted.overlay.opaque"), Bytes.utf8("y")));
    Attributes last = walked.directories().getLast();
    assertThat(last.mode()).isEqualTo(042751);
    assertThat(last.uid()).isEqualTo(4_000_000_000L);
    assertThat(last.gid()).isEqualTo(70_000);
    assertThat(last.mtimeSeconds()).isEqualTo(-2);
    assertThat(last.mtimeNanos()).isEqualTo(250_000_000);
    assertThat(last.xattrs())
        .isEqualTo(
            Map.of(
                Bytes.utf8("user.a"), Bytes.utf8("1"),
                Bytes.utf8("trusted.t"), Bytes.EMPTY,
                Bytes.utf8("security.x"), Bytes.of((byte) 0, (byte) 0xff)));
  }

  @Test
  void walk_toTheRootItself() throws IOException {
    Walked walked = directories.walk(root, Bytes.EMPTY);

    assertThat(walked.end()).isEqualTo(End.DIRECTORY);
    assertThat(walked.directories()).hasSize(1);
  }

  @Test
  void walk_endsWhereItMust() throws Exception {
    shell(
        """
        mkdir -p a/b
        touch a/file
        ln -s b a/link
        mknod a/gone c 0 0
        mkfifo a/fifo
        """);

    for (String file : new String[] {"file", "link", "gone", "fifo"}) {
      Walked walked = directories.walk(root, Bytes.utf8("a/" + file + "/x"));
      assertThat(walked.end()).as(file).isEqualTo(End.FILE);
      assertThat(walked.directories()).hasSize(2);
    }
    assertThat(directories.walk(root, Bytes.utf8("a/link")).end()).isEqualTo(End.FILE);
    assertThat(directories.walk(root, Bytes.utf8("a/none/x")).end()).isEqualTo(End.NOTHING);
    assertThat(directories.walk(root, Bytes.utf8("n".repeat(256))).end()).isEqualTo(End.NOTHING);
  }

  @Test
  void walk_namesAreBytes() throws Exception {
    shell("mkdir -p $'gr\\xfc\\xdf/in'; chmod 711 $'gr\\xfc\\xdf/in'");
    Bytes path = Bytes.of("gr\u00fc\u00df/in".getBytes(StandardCharsets.ISO_8859_1));

    Walked walked = directories.walk(root, path);

    assertThat(walked.end()).isEqualTo(End.DIRECTORY);
    assertThat(walked.directories().getLast().mode()).isEqualTo(040711);
    assertThat(directories.walk(root, Bytes.utf8("gr\u00fc\u00df")).end()).isEqualTo(End.NOTHING);
    shell("rm -r $'gr\\xfc\\xdf'");
  }

  @Test
  void walk_deeperThanAPathIsLong() throws Exception {
    String name = "d".repeat(250);
    shell("for i in $(seq 30); do mkdir " + name + "; cd " + name + "; done; chmod 700 .");

    Walked walked = directories.walk(root, Bytes.utf8((name + "/").repeat(29) + name));

    assertThat(walked.end()).isEqualTo(End.DIRECTORY);
    assertThat(walked.directories()).hasSize(31);
    assertThat(walked.directories().getLast().mode()).isEqualTo(040700);
    shell("rm -r " + name);
  }

  @Test
  void walk_leavesNoDescriptorOpen() throws Exception {
    shell("mkdir -p a/b/c; touch a/b/file");
    long before = descriptors();

    for (int i = 0; i < 100; i++) {
      var _ = directories.walk(root, Bytes.utf8("a/b/c"));
      var _ = directories.walk(root, Bytes.utf8("a/b/file/x"));
      var _ = directories.walk(root, Bytes.utf8("a/none"));
    }

    assertThat(descriptors()).isLessThan(before + 50);
  }

  @Test
  void walk_rootThatIsNotThere_isNamed() {
    assertThatThrownBy(() -> directories.walk(root.resolve("lost"), Bytes.EMPTY))
        .isInstanceOf(LinuxException.class)
        .hasMessageContaining("lost")
        .hasMessageContaining("ENOENT");
  }

  private static long descriptors() throws IOException {
    try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
      return open.count();
    }
  }

  private void shell(String script) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder("bash", "-ec", script)
            .directory(root.toFile())
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
  }
}

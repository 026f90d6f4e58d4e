package sluice.snapshotter.state;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DiskUsageTest {

  @TempDir Path directory;

  @Test
  void of_countsEachInodeOnce() throws Exception {
    Path file = Files.write(directory.resolve("file"), new byte[100_000]);
    Files.createLink(directory.resolve("link"), file);
    Files.createSymbolicLink(directory.resolve("symlink"), Path.of("nowhere"));
    Files.write(directory.resolve("small"), new byte[1]);
    force(file);

    Usage usage = DiskUsage.of(directory);

    assertThat(usage.inodes()).isEqualTo(4);
    assertThat(usage.sizeBytes()).isBetween(100_000L + 4096, 100_000L + 5 * 4096);
  }

  @Test
  void of_sparseFile_isWhatItOccupies() throws Exception {
    try (RandomAccessFile file = new RandomAccessFile(directory.resolve("sparse").toFile(), "rw")) {
      file.setLength(1L << 40);
      file.seek(1L << 39);
      file.write(new byte[10_000]);
      file.getFD().sync();
    }
    assertThat(DiskUsage.of(directory).sizeBytes()).isBetween(8192L, 100_000L);
  }

  @Test
  void of_namesThatAreNoText() throws Exception {
    HostileTree.bytes(directory);

    Usage usage = DiskUsage.of(directory);

    assertThat(usage.inodes()).isEqualTo(3);
    assertThat(usage.sizeBytes()).isBetween(9999L + 2 * 4096, 9999L + 4 * 4096);
  }

  @Test
  void of_nothing_isNothing() throws Exception {
    assertThat(DiskUsage.of(directory.resolve("gone"))).isEqualTo(Usage.NONE);
  }

  @Test
  void of_deepTree_whoseDirectoriesAreReadInParts() throws Exception {
    Path at = directory;
    for (int level = 0; level < 62; level++) {
      at = Files.createDirectory(at.resolve("d"));
    }
    for (int level = 62; level < 65; level++) {
      for (int i = 0; i < 400; i++) {
        Files.createDirectory(at.resolve("directory" + i));
      }
      at = at.resolve("directory200");
    }
    assertThat(DiskUsage.of(directory).inodes()).isEqualTo(1 + 62 + 3L * 400);
  }

  @Test
  void of_treeWhoseDirectoriesMove_ends() throws Exception {
    Path at = Files.createDirectories(directory.resolve("d/".repeat(70)));
    Files.createDirectories(at.resolve("x/m/" + "d/".repeat(20)));
    Files.createDirectory(at.resolve("y"));
    String script = "while (1) { rename 'x/m', 'y/m' or die $!; rename 'y/m', 'x/m' or die $!; }";
    Process moving =
        new ProcessBuilder("perl", "-e", script).directory(at.toFile()).inheritIO().start();
    try {
      for (int i = 0; i < 300; i++) {
        assertThat(DiskUsage.of(directory).inodes()).isBetween(1 + 70L + 2, 1 + 70 + 2 + 2 * 21L);
      }
      assertThat(moving.isAlive()).isTrue();
    } finally {
      moving.destroyForcibly().waitFor();
    }
  }

  private static void force(Path file) throws Exception {
    try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
      open.getFD().sync();
    }
  }
}

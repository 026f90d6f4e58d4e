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
    String script = "printf %09999d 1 > \"$(printf 'a\\377\\200%% ?#\\n')\"; sync .";
    Process process =
        new ProcessBuilder("bash", "-c", script).directory(directory.toFile()).inheritIO().start();
    assertThat(process.waitFor()).isZero();

    Usage usage = DiskUsage.of(directory);

    assertThat(usage.inodes()).isEqualTo(2);
    assertThat(usage.sizeBytes()).isBetween(9999L + 4096, 9999L + 4 * 4096);
  }

  private static void force(Path file) throws Exception {
    try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
      open.getFD().sync();
    }
  }
}

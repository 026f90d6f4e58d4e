package sluice.snapshotter.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sluice.snapshotter.state.Kind;
import sluice.snapshotter.state.SnapshotException;
import sluice.snapshotter.state.SnapshotException.Code;
import sluice.snapshotter.state.SnapshotKey;

/** A file system of one megabyte. */
final class FullDiskIT {

  @TempDir Path directory;
  private Path small;

  @BeforeEach
  void mount() throws Exception {
    small = Files.createDirectory(directory.resolve("small"));
    run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small.toString());
  }

  @AfterEach
  void unmount() throws Exception {
    run("umount", "-l", small.toString());
  }

  @Test
  void fullDisk_isSaid_andEverythingIsThereAgainWhenThereIsRoom() throws IOException {
    try (SqliteSnapshotStore store =
        SqliteSnapshotStore.open(small.resolve("sluice.db"), InstantSource.system())) {
      var _ = store.create(key(0), Kind.ACTIVE, null, Map.of());
      Path ballast = small.resolve("ballast");
      fill(ballast);

      assertThatThrownBy(
              () -> {
                for (int i = 1; i < 1000; i++) {
                  var _ = store.create(key(i), Kind.ACTIVE, null, Map.of("x", "y".repeat(4000)));
                }
              })
          .isInstanceOfSatisfying(
              SnapshotException.class, e -> assertThat(e.code()).isEqualTo(Code.RESOURCE_EXHAUSTED))
          .hasMessageContaining("the disk is full");
      assertThat(store.find(key(0))).isPresent();

      Files.delete(ballast);
      assertThat(store.create(key(5000), Kind.ACTIVE, null, Map.of()).id()).isPositive();
    }
  }

  private static void fill(Path file) throws IOException {
    byte[] block = new byte[4096];
    try (var out = Files.newOutputStream(file)) {
      for (int i = 0; i < 1024; i++) {
        out.write(block);
      }
    } catch (IOException full) {
      assertThat(full).hasMessageContaining("No space left");
    }
  }

  private static SnapshotKey key(int number) {
    return new SnapshotKey("s", "key" + number);
  }

  private static void run(String... command) throws Exception {
    assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
  }
}

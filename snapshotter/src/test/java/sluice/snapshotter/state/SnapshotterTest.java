package sluice.snapshotter.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sluice.snapshotter.store.SqliteSnapshotStore;

final class SnapshotterTest {

  @TempDir private Path root;

  @Test
  void cleanup_directoryThatCannotBeDeleted_keepsNoImage() throws Exception {
    RetainedLayers layers = new RetainedLayers();
    try (SqliteSnapshotStore store =
        SqliteSnapshotStore.open(root.resolve("sluice.db"), InstantSource.system())) {
      Snapshotter snapshotter = Snapshotter.start(root, store, layers, new Fallbacks());
      Path stays = Files.createDirectories(root.resolve("snapshots/7/fs/stays"));
      HostileTree.attribute(stays, "+i");
      try {
        assertThatThrownBy(snapshotter::cleanup)
            .isInstanceOf(IOException.class)
            .hasMessageContaining("\"stays\" cannot be deleted");
      } finally {
        HostileTree.attribute(stays, "-i");
      }
      assertThat(layers.retained).isOne();
    }
  }

  @Test
  void cleanup_bothFail_saysBoth() throws Exception {
    RetainedLayers layers = new RetainedLayers();
    layers.failure = new IOException("no image can be unmounted");
    try (SqliteSnapshotStore store =
        SqliteSnapshotStore.open(root.resolve("sluice.db"), InstantSource.system())) {
      Snapshotter snapshotter = Snapshotter.start(root, store, layers, new Fallbacks());
      Files.delete(root.resolve("snapshots"));

      assertThatThrownBy(snapshotter::cleanup).hasSuppressedException(layers.failure);
    }
  }
}

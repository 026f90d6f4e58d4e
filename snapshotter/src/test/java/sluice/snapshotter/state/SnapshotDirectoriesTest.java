package sluice.snapshotter.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
final class SnapshotDirectoriesTest {

  private Path directory = Path.of("");
  private SnapshotDirectories directories = new SnapshotDirectories(directory);

  @BeforeEach
  void make() throws IOException {
    directory = Files.createTempDirectory("snapshots");
    directories = new SnapshotDirectories(directory);
    for (long id = 1; id <= 3; id++) {
      directories.make(id, Kind.ACTIVE, null, Map.of());
    }
  }

  @AfterEach
  void delete() throws Exception {
    HostileTree.delete(directory);
  }

  @Test
  void collect_deletesWhatHasNoSnapshot() throws Exception {
    Files.createDirectories(directory.resolve("new-left/fs/a"));
    Files.createSymbolicLink(directories.files(1).resolve("out"), directories.files(2));
    Files.write(directories.files(2).resolve("kept"), new byte[1]);

    directories.collect(() -> Set.of(2L));

    assertThat(entries()).containsExactly("2");
    assertThat(directories.files(2).resolve("kept")).exists();
  }

  @Test
  void collect_treeDeeperThanAnyPath_isDeleted() throws Exception {
    HostileTree.deep(directories.files(1));

    assertThat(directories.usage(1).inodes()).isEqualTo(1 + 2L * HostileTree.LEVELS);
    directories.collect(() -> Set.of(2L));

    assertThat(entries()).containsExactly("2");
  }

  @Test
  void collect_namesThatAreNoText_areDeleted() throws Exception {
    HostileTree.bytes(directories.files(1));

    directories.collect(() -> Set.of(2L));

    assertThat(entries()).containsExactly("2");
  }

  @Test
  void collect_whatCannotBeDeleted_keepsNothingElse() throws Exception {
    Path stays = Files.write(directories.files(1).resolve("stays"), new byte[1]);
    for (int i = 0; i < 100; i++) {
      Files.write(directories.files(1).resolve("goes" + i), new byte[1]);
    }
    HostileTree.attribute(stays, "+i");
    try {
      assertThatThrownBy(() -> directories.collect(Set::of))
          .isInstanceOf(IOException.class)
          .hasMessageContaining(
              directory + ": below it, \"stays\" cannot be deleted: Operation not permitted");
      assertThat(entries()).containsExactly("1");
      assertThat(directories.files(1).toFile().list()).containsExactly("stays");
    } finally {
      HostileTree.attribute(stays, "-i");
    }
    directories.collect(Set::of);
    assertThat(entries()).isEmpty();
  }

  private List<String> entries() throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.map(entry -> entry.getFileName().toString()).toList();
    }
  }
}

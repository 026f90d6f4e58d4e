package sluice.snapshotter.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sluice.snapshotter.state.Kind;
import sluice.snapshotter.state.Snapshot;

/** A process is killed at any instruction; what was acknowledged is there, what was not may be. */
final class KilledStoreIT {

  private static final int ROUNDS = 5;
  private static final int IDS_A_ROUND = 1_000_000;

  @TempDir Path directory;

  @Test
  void killedWhileItWrites_losesNothingThatWasAcknowledged() throws Exception {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    Set<String> committed = new HashSet<>();
    Set<String> removed = new HashSet<>();
    for (int round = 0; round < ROUNDS; round++) {
      for (String line : acknowledged(round, random)) {
        String name = line.substring(line.indexOf(' ') + 1);
        if (line.startsWith("committed ")) {
          committed.add(name);
        } else if (line.startsWith("removed ")) {
          removed.add(name);
        }
      }
      try (SqliteSnapshotStore store = open()) {
        List<Snapshot> all = store.all();
        Set<String> names = all.stream().map(s -> s.key().name()).collect(Collectors.toSet());
        assertThat(names).as("seed %d, round %d", seed, round).containsAll(committed);
        assertThat(names).as("seed %d, round %d", seed, round).doesNotContainAnyElementsOf(removed);
        assertThat(all)
            .filteredOn(s -> s.kind() == Kind.ACTIVE)
            .as("seed %d: at most one unfinished a round", seed)
            .hasSizeLessThanOrEqualTo(round + 1);
      }
    }
    assertThat(committed).as("seed %d", seed).isNotEmpty();
    assertThat(removed).as("seed %d", seed).isNotEmpty();
  }

  /** Lets a process work, kills it at a random moment, and tells what it said. */
  private List<String> acknowledged(int round, Random random) throws Exception {
    Path output = directory.resolve("output" + round);
    Process process =
        StoreProcess.builder(
                "work",
                directory.resolve("sluice.db").toString(),
                Integer.toString(1 + round * IDS_A_ROUND))
            .redirectOutput(output.toFile())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try {
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
      while (Files.size(output) < 200) {
        assertThat(process.isAlive() && System.nanoTime() < deadline).isTrue();
        Thread.sleep(5);
      }
      TimeUnit.MICROSECONDS.sleep(random.nextInt(300_000));
    } finally {
      process.destroyForcibly();
      process.waitFor();
    }
    String text = Files.readString(output);
    return text.substring(0, text.lastIndexOf('\n') + 1).lines().toList();
  }

  private SqliteSnapshotStore open() throws Exception {
    return SqliteSnapshotStore.open(directory.resolve("sluice.db"), InstantSource.system());
  }
}

package sluice.cache;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sluice.core.LazyDevice;

/**
 * The process dies by SIGKILL, at random moments and at chosen ones: no reader sees a wrong byte.
 */
@Timeout(300)
final class CrashIT {
  private static final int KILLED = 137;
  private static final long BOOT = 1;
  private static final int RANDOM_KILLS = 6;

  private final long seed = System.nanoTime();

  @TempDir private Path directory;

  @Test
  void kill_atRandomMoments_leavesOnlyRightBytes() throws Exception {
    System.Logger log = System.getLogger("CrashIT");
    log.log(System.Logger.Level.INFO, "seed " + seed);
    Random random = new Random(seed);
    for (int round = 0; round < RANDOM_KILLS; round++) {
      Process reader = start(round, "");
      try {
        CrashedReader.awaitReady(reader);
        boolean ended = reader.waitFor(random.nextInt(400), TimeUnit.MILLISECONDS);
        assertThat(ended).as("seed %d, round %d: %s", seed, round, ended).isFalse();
      } finally {
        reader.destroyForcibly();
      }
      assertThat(reader.waitFor()).isEqualTo(KILLED);
    }
    assertPresentIsRight();
  }

  @Test
  void kill_atEachFailpoint_leavesOnlyRightBytes() throws Exception {
    Random random = new Random(seed);
    for (Failpoints.Point point : Failpoints.Point.values()) {
      int times =
          switch (point) {
            case DEVICE_WRITTEN, DEVICE_UNNAMED -> 1;
            case DATA_WRITTEN, MARKED, DATA_SYNCED -> 1 + random.nextInt(20);
          };
      Process reader = start(random.nextInt(), point + ":" + times);
      try {
        assertThat(reader.waitFor(60, TimeUnit.SECONDS)).isTrue();
      } finally {
        reader.destroyForcibly();
      }
      assertThat(reader.waitFor()).as("seed %d, %s:%d", seed, point, times).isEqualTo(KILLED);
    }
    assertPresentIsRight();
  }

  /** Without a registry, in this boot and then in the next one. */
  private void assertPresentIsRight() throws IOException {
    List<TestDevice> expected = CrashedReader.devices(seed);
    long sameBoot = present(expected, open(BOOT));
    assertThat(sameBoot).as("seed %d", seed).isPositive();
    assertThat(present(expected, open(BOOT + 1))).as("seed %d", seed).isBetween(1L, sameBoot);
  }

  private ChunkCache open(long boot) throws IOException {
    return CrashedReader.open(directory, List.of(), Failpoints.NONE, new UUID(0, boot));
  }

  private static long present(List<TestDevice> expected, ChunkCache cache) throws IOException {
    long bytes = 0;
    try (cache) {
      for (TestDevice device : expected) {
        LazyDevice found = cache.add(device.index(), TestCache.HOLDERS);
        bytes += CrashedReader.checkPresent(found, device);
      }
    }
    return bytes;
  }

  private Process start(long reads, String failpoint) throws IOException {
    return CrashedReader.start(directory, seed, seed + reads, failpoint, BOOT);
  }
}

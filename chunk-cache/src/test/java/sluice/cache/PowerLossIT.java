package sluice.cache;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The power goes while chunks are written: in the next boot, what is present is right. */
@Timeout(300)
final class PowerLossIT {
  private static final int ROUNDS = 4;

  private final long seed = System.nanoTime();

  @Test
  void losePower_atRandomMoments_leavesOnlyRightBytes(@TempDir Path directory) throws Exception {
    Random random = new Random(seed);
    long present = 0;
    try (LoopDisk disk = new LoopDisk(directory, 64 << 20)) {
      for (int boot = 1; boot <= ROUNDS; boot++) {
        Process reader =
            CrashedReader.start(disk.path().resolve("devices"), seed, seed + boot, "", boot);
        try {
          present = CrashedReader.awaitReady(reader);
          reader.waitFor(random.nextInt(1000), TimeUnit.MILLISECONDS);
          disk.losePower();
        } finally {
          reader.destroyForcibly();
        }
        assertThat(reader.waitFor()).as("seed %d", seed).isNotEqualTo(CrashedReader.WRONG);
        disk.unmount();
        disk.mount();
      }
    }
    assertThat(present)
        .as("seed %d: bytes that were durable before the last round", seed)
        .isPositive();
  }
}

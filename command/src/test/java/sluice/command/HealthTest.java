package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sluice.core.Digest;
import sluice.snapshotter.image.ImageLibrary.RunState;

@Timeout(30)
final class HealthTest {

  private static final Digest CHAIN = Digest.sha256(new byte[0]);

  private final AtomicReference<Instant> now = new AtomicReference<>(Instant.EPOCH);

  private Health health(Health.Look store) {
    return new Health(now::get, Duration.ofMillis(200), () -> {}, store, () -> {});
  }

  @Test
  void get_aProbeThatFails_saysWhich() {
    try (Health health =
        health(() -> {
          throw new IOException("disk is gone");
        })) {
      assertThat(health.get().ok()).isFalse();
      assertThat(health.get().text()).isEqualTo("store: disk is gone");
    }
  }

  @Test
  void get_withinASecond_asksOnce() {
    AtomicInteger asked = new AtomicInteger();
    try (Health health = health(asked::incrementAndGet)) {
      assertThat(health.get().ok()).isTrue();
      assertThat(health.get().ok()).isTrue();
      assertThat(asked).hasValue(1);
      now.set(Instant.EPOCH.plusSeconds(1));
      assertThat(health.get().ok()).isTrue();
      assertThat(asked).hasValue(2);
    }
  }

  @Test
  void get_aProbeThatHangs_isBoundedAndNotBegunAgain() {
    AtomicInteger asked = new AtomicInteger();
    CountDownLatch gate = new CountDownLatch(1);
    try (Health health =
        health(() -> {
          asked.incrementAndGet();
          try {
            gate.await();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        })) {
      assertThat(health.get().text()).isEqualTo("store: no answer within 200 ms");
      now.set(Instant.EPOCH.plusSeconds(2));
      assertThat(health.get().ok()).isFalse();
      assertThat(asked).hasValue(1);
      gate.countDown();
      now.set(Instant.EPOCH.plusSeconds(4));
      assertThat(health.get().ok()).isTrue();
    }
  }

  @Test
  void requireMounts_takesOnlyThoseThatHaveEnded() throws IOException {
    RunState served = new RunState(CHAIN, "/m/a", "fuse", "its index lies", false);
    RunState broken = new RunState(CHAIN, "", "fuse", "image is corrupt", false);
    RunState ended = new RunState(CHAIN, "/m/b", "fuse", "somebody else unmounted it", true);
    Health.requireMounts(List.of(served, broken));
    assertThatThrownBy(() -> Health.requireMounts(List.of(served, ended)))
        .hasMessageContainingAll("1 have ended", "/m/b");
  }

  @Test
  void requireWritable_leavesNothing(@TempDir Path root) throws IOException {
    Health.requireWritable(root.resolve("probe"));
    assertThat(root).isEmptyDirectory();
    Path file = Files.createFile(root.resolve("file"));
    assertThatThrownBy(() -> Health.requireWritable(file.resolve("probe")))
        .isInstanceOf(IOException.class);
  }
}

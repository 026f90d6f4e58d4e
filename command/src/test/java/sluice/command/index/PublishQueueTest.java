package sluice.command.index;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import sluice.command.index.PublishQueue.Image;
import sluice.core.Digest;
import sluice.core.Repository;

@Timeout(60)
final class PublishQueueTest {

  private static final Repository REPOSITORY = new Repository.InRegistry("registry.example", "a");
  private static final Image A = new Image(REPOSITORY, Digest.sha256(new byte[] {1}));
  private static final Image B = new Image(REPOSITORY, Digest.sha256(new byte[] {2}));

  private volatile Instant now = Instant.EPOCH;
  private final PublishQueue queue = new PublishQueue(() -> now);

  private boolean isIdle() throws InterruptedException {
    return queue.awaitIdle(Duration.ZERO);
  }

  @Test
  void offer_twice_isTakenOnceUntilItIsDone() throws Exception {
    assertThat(queue.offer(A)).isTrue();
    assertThat(queue.offer(A)).isTrue();
    assertThat(isIdle()).isFalse();
    assertThat(queue.take()).isEqualTo(A);
    assertThat(isIdle()).as("it is being tried").isFalse();
    queue.done(A);
    assertThat(queue.offer(A)).isFalse();
    assertThat(queue.offer(B)).isTrue();
    assertThat(queue.take()).isEqualTo(B);
  }

  @Test
  void later_isDueAfterAPauseThatGrows_andNotForEver() throws Exception {
    assertThat(queue.offer(A)).isTrue();
    Duration pause = PublishQueue.PAUSE;
    for (int failed = 1; failed < PublishQueue.MAX_TRIES; failed++) {
      assertThat(queue.take()).isEqualTo(A);
      assertThat(queue.later(A)).contains(pause);
      assertThat(queue.failures(A)).isEqualTo(failed);
      now = now.plus(pause).minusSeconds(1);
      assertThat(queue.offer(A)).as("it waits already").isTrue();
      assertThat(queue.offer(B)).isTrue();
      assertThat(queue.take()).as("the other one is due").isEqualTo(B);
      now = now.plusSeconds(1);
      pause = pause.multipliedBy(4);
    }
    assertThat(queue.take()).isEqualTo(A);
    assertThat(queue.later(A)).isEqualTo(Optional.empty());
    assertThat(queue.offer(A)).isFalse();
  }

  @Test
  void refused_repository_isLeftAlone() throws Exception {
    assertThat(queue.offer(A)).isTrue();
    assertThat(queue.offer(B)).isTrue();
    Image first = queue.take();
    queue.refused(REPOSITORY);
    Image other = new Image(new Repository.InRegistry("registry.example", "b"), first.manifest());
    assertThat(queue.offer(first)).isFalse();
    assertThat(queue.offer(other)).isTrue();
    assertThat(queue.take()).as("what waits of the refused one is passed over").isEqualTo(other);
  }

  @Test
  void offer_tooMany_areNotKept() {
    for (int i = 0; i < 256; i++) {
      assertThat(queue.offer(new Image(REPOSITORY, Digest.sha256(new byte[] {9, (byte) i}))))
          .isTrue();
    }
    assertThat(queue.offer(A)).isFalse();
  }
}

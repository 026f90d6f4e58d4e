package sluice.snapshotter.check;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class TimeLimitTest {

  private static final Duration LONG = Duration.ofHours(1);

  private final AtomicBoolean ended = new AtomicBoolean();

  /** Waits for ever; what it does at its end takes a while. */
  private String hang() throws InterruptedException {
    try {
      new CountDownLatch(1).await();
      return "never";
    } finally {
      Thread.interrupted();
      Thread.sleep(200);
      ended.set(true);
    }
  }

  @Test
  void call_inTime() throws Exception {
    assertThat(TimeLimit.call("work", LONG, () -> Thread.currentThread().getName()))
        .isEqualTo("work");
  }

  @Test
  void call_tooLong_endsTheWork() {
    assertThatThrownBy(() -> TimeLimit.call("work", Duration.ofMillis(1100), this::hang))
        .isInstanceOf(IOException.class)
        .hasMessage("was not done within 1 s");
    assertThat(ended).isTrue();
  }

  @Test
  void call_workThatFails() {
    for (Throwable failure :
        new Throwable[] {
          new IOException("a"), new IllegalStateException("b"), new StackOverflowError("c")
        }) {
      assertThatThrownBy(() -> TimeLimit.call("work", LONG, () -> fail(failure))).isSameAs(failure);
    }
  }

  private static String fail(Throwable failure) throws IOException {
    switch (failure) {
      case IOException e -> throw e;
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> throw new AssertionError(failure);
    }
  }

  @Test
  void call_callerThatIsInterrupted_endsTheWork() {
    Thread caller = Thread.currentThread();
    assertThatThrownBy(() ->
            TimeLimit.call(
                "work",
                LONG,
                () -> {
                  caller.interrupt();
                  return hang();
                }))
        .isInstanceOf(InterruptedException.class);
    assertThat(Thread.interrupted()).isFalse();
    assertThat(ended).isTrue();
  }
}

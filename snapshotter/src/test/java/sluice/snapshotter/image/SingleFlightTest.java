package sluice.snapshotter.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class SingleFlightTest {

  private final ExecutorService workers = Executors.newVirtualThreadPerTaskExecutor();
  private final SingleFlight<String, Integer> flights = new SingleFlight<>(workers);

  @AfterEach
  void stop() {
    workers.shutdownNow();
  }

  @Test
  void workUnderWay_isJoined_andOutlivesItsCallers() throws Exception {
    CountDownLatch gate = new CountDownLatch(1);
    AtomicInteger runs = new AtomicInteger();
    Work<Integer> work =
        () -> {
          gate.await();
          return runs.incrementAndGet();
        };
    Future<Integer> first = flights.join("a", work);
    Future<Integer> second = flights.join("a", work);
    assertThat(flights.flying("a")).isTrue();
    assertThatThrownBy(() -> SingleFlight.await(first, Duration.ofMillis(1)))
        .isInstanceOf(TimeoutException.class);

    gate.countDown();
    assertThat(SingleFlight.await(second)).isEqualTo(1);
    assertThat(SingleFlight.await(first)).isEqualTo(1);
    assertThat(flights.flying("a")).isFalse();
  }

  /** Many times, because it goes wrong only for a moment after the failure is known. */
  @Test
  void failure_isNotJoined() throws Exception {
    for (int i = 0; i < 20_000; i++) {
      int number = i;
      assertThatThrownBy(() ->
              SingleFlight.await(
                  flights.join(
                      "a",
                      () -> {
                        throw new IOException("try " + number);
                      })))
          .hasMessage("try " + number);
      assertThat(flights.flying("a")).isFalse();
      assertThat(SingleFlight.await(flights.join("a", () -> number))).isEqualTo(number);
    }
  }
}

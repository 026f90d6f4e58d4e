package sluice.snapshotter.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import sluice.snapshotter.state.LazyLayers.Pin;

final class PinsTest {

  private final ManualClock clock = new ManualClock();
  private final Pins pins = new Pins(clock);
  private final CountDownLatch deleting = new CountDownLatch(1);
  private final CountDownLatch gate = new CountDownLatch(1);
  private final ExecutorService threads = Executors.newThreadPerTaskExecutor(Thread::new);

  @AfterEach
  void stop() {
    gate.countDown();
    threads.close();
  }

  private boolean deleted(Object thing) throws IOException {
    return pins.deleteUnpinned(thing, () -> {});
  }

  @Test
  void deleteUnpinned_pinned_stays() throws Exception {
    Pin first = pins.pin(List.of("a"));
    Pin second = pins.pin(List.of("a", "b"));

    first.close();
    first.close();

    assertThat(deleted("a")).isFalse();
    second.close();
    assertThat(deleted("a")).isTrue();
    assertThat(deleted("c")).isTrue();
  }

  @Test
  void deleteUnpinned_pinnedAndClosedSinceTheSweepBegan_stays() throws Exception {
    pins.beginSweep();
    pins.pin(List.of("a")).close();

    assertThat(deleted("a")).isFalse();
    pins.endSweep();
    pins.beginSweep();
    assertThat(deleted("a")).isTrue();
  }

  @Test
  void holdAhead_untilPinnedOrTimeHasPassed() throws Exception {
    pins.holdAhead("taken");
    pins.holdAhead("forgotten");
    pins.pin(List.of("taken")).close();

    assertThat(deleted("taken")).isTrue();
    assertThat(deleted("forgotten")).isFalse();
    clock.advance(Duration.ofMinutes(11));
    assertThat(deleted("forgotten")).isTrue();
  }

  @Test
  void leaveAhead_protectsForAWhile() throws Exception {
    Pins.Held held = pins.pin(List.of("given up"));
    held.leaveAhead();
    held.close();

    assertThat(deleted("given up")).isFalse();
    clock.advance(Duration.ofMinutes(11));
    assertThat(deleted("given up")).isTrue();
  }

  /** Begins a deletion that lasts until the gate is open. */
  private Future<Boolean> beginDeleting(Object thing) throws InterruptedException {
    Future<Boolean> deletion = threads.submit(() -> pins.deleteUnpinned(thing, this::waitAtGate));
    deleting.await();
    return deletion;
  }

  private void waitAtGate() throws IOException {
    deleting.countDown();
    try {
      gate.await();
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  /** Begins to pin, and waits until that has happened or waits itself. */
  private Thread beginPinning(FutureTask<Pin> pinning) throws InterruptedException {
    Thread thread = Thread.ofPlatform().start(pinning);
    while (thread.isAlive() && thread.getState() != Thread.State.WAITING) {
      Thread.sleep(1);
    }
    return thread;
  }

  @Test
  void pin_whileAnotherThingIsDeleted_doesNotWait() throws Exception {
    Future<Boolean> deletion = beginDeleting("a");

    FutureTask<Pin> pinning = new FutureTask<>(() -> pins.pin(List.of("b")));
    beginPinning(pinning);
    FutureTask<Pin> holding =
        new FutureTask<>(() -> {
          pins.holdAhead("c");
          return () -> {};
        });
    beginPinning(holding);

    assertThat(pinning.isDone()).isTrue();
    assertThat(holding.isDone()).isTrue();
    gate.countDown();
    assertThat(deletion.get()).isTrue();
    assertThat(deleted("b")).isFalse();
    assertThat(deleted("c")).isFalse();
  }

  @Test
  void pin_whileItIsDeleted_waitsForThat() throws Exception {
    Future<Boolean> deletion = beginDeleting("a");
    FutureTask<Pin> pinning = new FutureTask<>(() -> pins.pin(List.of("b", "a")));
    Thread waiting = beginPinning(pinning);
    FutureTask<Pin> interrupted = new FutureTask<>(() -> pins.pin(List.of("a")));
    beginPinning(interrupted).interrupt();

    assertThatThrownBy(() -> interrupted.get(10, TimeUnit.SECONDS))
        .hasCauseInstanceOf(InterruptedException.class);
    assertThat(waiting.isAlive()).isTrue();
    gate.countDown();

    assertThat(deletion.get()).isTrue();
    Pin pin = pinning.get();
    assertThat(deleted("a")).isFalse();
    pin.close();
    assertThat(deleted("a")).isTrue();
  }

  @Test
  void deleteUnpinned_fails_doesNotStopWhoPinsIt() throws Exception {
    assertThatThrownBy(() ->
            pins.deleteUnpinned(
                "a",
                () -> {
                  throw new IOException("busy");
                }))
        .hasMessage("busy");

    pins.pin(List.of("a"));

    assertThat(deleted("a")).isFalse();
  }
}

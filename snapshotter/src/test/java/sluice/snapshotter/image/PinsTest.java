package sluice.snapshotter.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import sluice.snapshotter.state.LazyLayers.Pin;

final class PinsTest {

  private final ManualClock clock = new ManualClock();
  private final Pins pins = new Pins(clock);

  private boolean deleted(Object thing) throws IOException {
    return pins.deleteUnpinned(thing, () -> {});
  }

  @Test
  void deleteUnpinned_pinned_stays() throws IOException {
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
  void deleteUnpinned_pinnedAndClosedSinceTheSweepBegan_stays() throws IOException {
    pins.beginSweep();
    pins.pin(List.of("a")).close();

    assertThat(deleted("a")).isFalse();
    pins.endSweep();
    pins.beginSweep();
    assertThat(deleted("a")).isTrue();
  }

  @Test
  void holdAhead_untilPinnedOrTimeHasPassed() throws IOException {
    pins.holdAhead("taken");
    pins.holdAhead("forgotten");
    pins.pin(List.of("taken")).close();

    assertThat(deleted("taken")).isTrue();
    assertThat(deleted("forgotten")).isFalse();
    clock.advance(Duration.ofMinutes(11));
    assertThat(deleted("forgotten")).isTrue();
  }
}

package sluice.snapshotter.check;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import sluice.core.Digest;
import sluice.snapshotter.image.KeptLayer;
import sluice.snapshotter.image.LayerKey;

final class RetriesTest {

  private static final KeptLayer ONE = layer("one");
  private static final KeptLayer OTHER = layer("other");

  private final AtomicReference<Instant> now = new AtomicReference<>(Instant.EPOCH);
  private final Retries retries = new Retries(now::get);

  private static KeptLayer layer(String content) {
    Digest digest = Digest.sha256(content.getBytes(UTF_8));
    LayerKey key = new LayerKey("fake", digest, digest);
    return new KeptLayer(key, digest, false, Path.of("none"), List.of(), List.of(), null);
  }

  @Test
  void allows_whatHasNotFailed() {
    var _ = retries.failed(OTHER, "no registry");
    assertThat(retries.allows(ONE.key())).isTrue();
    assertThat(retries.allows(OTHER.key())).isFalse();
  }

  @Test
  void failed_doublesTheDelayUpToSixHours_andEnds() {
    List<Duration> delays = new ArrayList<>();
    UndecidedLayer last = retries.failed(ONE, "no registry");
    while (last.nextTry() != null) {
      Instant next = Objects.requireNonNull(last.nextTry());
      delays.add(Duration.between(now.get(), next));
      now.set(next.minusNanos(1));
      assertThat(retries.allows(ONE.key())).isFalse();
      now.set(next);
      assertThat(retries.allows(ONE.key())).isTrue();
      last = retries.failed(ONE, "no registry");
      assertThat(last.tries()).isEqualTo(delays.size() + 1);
    }
    assertThat(delays.subList(0, 11))
        .containsExactly(
            Duration.ofMinutes(1),
            Duration.ofMinutes(2),
            Duration.ofMinutes(4),
            Duration.ofMinutes(8),
            Duration.ofMinutes(16),
            Duration.ofMinutes(32),
            Duration.ofMinutes(64),
            Duration.ofMinutes(128),
            Duration.ofMinutes(256),
            Duration.ofHours(6),
            Duration.ofHours(6));
    assertThat(delays).hasSize(23);

    now.set(now.get().plus(Duration.ofDays(365)));
    assertThat(retries.allows(ONE.key())).isFalse();
    assertThat(retries.all()).containsExactly(last);
  }

  @Test
  void limit_doublesUpToSixHours() {
    List<Duration> limits = new ArrayList<>();
    for (int tries = 0; tries < 6; tries++) {
      limits.add(retries.limit(ONE.key()));
      var _ = retries.failed(ONE, "too slow");
    }
    assertThat(limits)
        .containsExactly(
            Duration.ofMinutes(30),
            Duration.ofHours(1),
            Duration.ofHours(2),
            Duration.ofHours(4),
            Duration.ofHours(6),
            Duration.ofHours(6));
  }

  @Test
  void all_saysTheLastReason() {
    var _ = retries.failed(ONE, "no registry");
    var _ = retries.failed(ONE, "no room");
    assertThat(retries.all())
        .singleElement()
        .satisfies(layer -> {
          assertThat(layer.key()).isEqualTo(ONE.key());
          assertThat(layer.reason()).isEqualTo("no room");
          assertThat(layer.tries()).isEqualTo(2);
        });
  }

  @Test
  void allows_afterTheClockWasSetBack() {
    now.set(Instant.EPOCH.plus(Duration.ofDays(2)));
    var _ = retries.failed(ONE, "no registry");
    now.set(Instant.EPOCH);
    assertThat(retries.allows(ONE.key())).isTrue();
  }

  @Test
  void decided_beginsAnew() {
    var _ = retries.failed(ONE, "no registry");
    retries.decided(ONE.key());
    assertThat(retries.all()).isEmpty();
    assertThat(retries.failed(ONE, "no registry").tries()).isEqualTo(1);
  }

  @Test
  void retain_forgetsTheOthers() {
    var _ = retries.failed(ONE, "no registry");
    var _ = retries.failed(OTHER, "no registry");
    retries.retain(Set.of(ONE.key()));
    assertThat(retries.all()).extracting(UndecidedLayer::key).containsExactly(ONE.key());
    assertThat(retries.allows(OTHER.key())).isTrue();
  }
}

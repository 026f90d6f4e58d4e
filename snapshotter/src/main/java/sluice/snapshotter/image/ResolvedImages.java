package sluice.snapshotter.image;

import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import sluice.core.Digest;
import sluice.core.ImageReference;
import sluice.core.Platform;

/**
 * The images that layers are being prepared for. containerd prepares layer after layer, each time
 * by the same labels, so what they lead to is kept for a while. The lock guards the map alone.
 */
final class ResolvedImages {

  /** Longer than a pull takes between two layers; short enough that a moved tag is seen soon. */
  private static final Duration KEPT = Duration.ofMinutes(2);

  /** Images pulled at the same time; a manifest and a configuration of some 10 KB each. */
  private static final int MAX_KEPT = 64;

  private final ImageResolver resolver;
  private final Platform platform;
  private final Clock clock;
  private final SingleFlight<Asked, ResolvedImage> flights;
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<Asked, Answer> answers = new LinkedHashMap<>();

  /**
   * What containerd says of an image.
   *
   * @param manifest what it chose; null if it did not say
   * @param target what the reference led to; null if it did not say
   */
  record Asked(ImageReference reference, @Nullable Digest manifest, @Nullable Digest target) {}

  private record Answer(ResolvedImage image, Instant until) {}

  ResolvedImages(ImageResolver resolver, Platform platform, Clock clock, ExecutorService workers) {
    this.resolver = resolver;
    this.platform = platform;
    this.clock = clock;
    this.flights = new SingleFlight<>(workers);
  }

  /**
   * What the reference leads to.
   *
   * @param namespace containerd's, whose content store is asked first
   * @throws TimeoutException if that is not known within {@code limit}
   */
  ResolvedImage resolve(Asked asked, String namespace, Duration limit)
      throws IOException, InterruptedException, TimeoutException {
    ResolvedImage known = known(asked);
    if (known != null) {
      return known;
    }
    return SingleFlight.await(flights.join(asked, () -> ask(asked, namespace)), limit);
  }

  private ResolvedImage ask(Asked asked, String namespace)
      throws IOException, InterruptedException {
    ResolvedImage known = known(asked);
    if (known != null) {
      return known;
    }
    ImageResolver near = resolver.in(namespace);
    Digest manifest = asked.manifest;
    ResolvedImage image =
        manifest == null
            ? near.resolve(asked.reference, platform)
            : near.resolve(asked.reference, manifest, asked.target, platform);
    keep(asked, image);
    return image;
  }

  private @Nullable ResolvedImage known(Asked asked) {
    lock.lock();
    try {
      Answer answer = answers.get(asked);
      return answer == null || answer.until.isBefore(clock.instant()) ? null : answer.image;
    } finally {
      lock.unlock();
    }
  }

  private void keep(Asked asked, ResolvedImage image) {
    lock.lock();
    try {
      answers.remove(asked);
      answers.put(asked, new Answer(image, clock.instant().plus(KEPT)));
      if (answers.size() > MAX_KEPT) {
        answers.remove(answers.keySet().iterator().next());
      }
    } finally {
      lock.unlock();
    }
  }
}

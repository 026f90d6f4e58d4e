package sluice.registry;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import okhttp3.HttpUrl;

/**
 * Where registries redirected reads of blobs to: signed URLs of object stores and content networks,
 * which are good for minutes, so that the next range need not ask the registry. Safe for use by
 * many threads; its monitor guards the map and is held for map operations alone.
 */
final class RedirectCache {

  /** Targets that are kept; the eldest are dropped first. */
  private static final int MAX_TARGETS = 4096;

  /** For a target that does not say when it expires. It is dropped when it fails, too. */
  private static final Duration UNSTATED = Duration.ofMinutes(2);

  /** Whatever a target says: a registry may move a blob, or take a right away. */
  private static final Duration MOST = Duration.ofHours(1);

  /** Taken off what a target says, for a request that starts now must end before. */
  private static final Duration MARGIN = Duration.ofSeconds(30);

  private static final DateTimeFormatter AMAZON_DATE =
      DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'");

  private record Target(HttpUrl url, Instant expires) {}

  private final InstantSource clock;
  private final Map<HttpUrl, Target> targets =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<HttpUrl, Target> eldest) {
          return size() > MAX_TARGETS;
        }
      };

  RedirectCache(InstantSource clock) {
    this.clock = clock;
  }

  /** Where {@code origin} led to, if that is still good. */
  synchronized Optional<HttpUrl> target(HttpUrl origin) {
    Target target = targets.get(origin);
    if (target == null) {
      return Optional.empty();
    }
    if (!clock.instant().isBefore(target.expires)) {
      targets.remove(origin);
      return Optional.empty();
    }
    return Optional.of(target.url);
  }

  /** Remembers that {@code origin} led to {@code url} now. */
  void remember(HttpUrl origin, HttpUrl url) {
    Instant now = clock.instant();
    Instant latest = now.plus(MOST);
    Instant expires = expiry(url).map(e -> e.minus(MARGIN)).orElse(now.plus(UNSTATED));
    Target target = new Target(url, expires.isBefore(latest) ? expires : latest);
    synchronized (this) {
      targets.put(origin, target);
    }
  }

  synchronized void forget(HttpUrl origin) {
    targets.remove(origin);
  }

  /**
   * When a signed URL expires: {@code X-Amz-Date} and {@code X-Amz-Expires} (Amazon's signature
   * version 4, and Google's with its own prefix), {@code Expires} (CloudFront and version 2, in
   * seconds of the epoch), {@code se} (Azure's shared access signatures).
   */
  private static Optional<Instant> expiry(HttpUrl url) {
    try {
      for (String prefix : new String[] {"X-Amz-", "X-Goog-"}) {
        String date = url.queryParameter(prefix + "Date");
        String seconds = url.queryParameter(prefix + "Expires");
        if (date != null && seconds != null) {
          Instant signed = LocalDateTime.parse(date, AMAZON_DATE).toInstant(ZoneOffset.UTC);
          return Optional.of(signed.plusSeconds(Long.parseLong(seconds)));
        }
      }
      String epoch = url.queryParameter("Expires");
      if (epoch != null) {
        return Optional.of(Instant.ofEpochSecond(Long.parseLong(epoch)));
      }
      String azure = url.queryParameter("se");
      return azure == null ? Optional.empty() : Optional.of(Instant.parse(azure));
    } catch (DateTimeException | NumberFormatException | ArithmeticException e) {
      // Something else by that name.
      return Optional.empty();
    }
  }
}

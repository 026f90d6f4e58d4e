package sluice.registry;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import sluice.core.FetchException;
import sluice.core.Lane;

/**
 * Authorizes requests. Safe for use by many threads.
 *
 * <p><b>What is kept.</b> How each registry wants to be asked (its last challenge), so that only
 * the first request to it is refused; and each token, or Basic header, until it expires, by
 * registry and scope.
 *
 * <p><b>Single flight.</b> The map holds a future for each authorization, there or on its way. Who
 * puts the future there gets the authorization and completes it; others wait, each within its own
 * deadline. A failure is given to those that wait, and is not kept. If who fetches is interrupted,
 * one of those that wait takes over. Under the map's locks nothing happens but map operations.
 */
final class Authorizer {

  /** How long a Basic header is used before the credentials are read again. */
  private static final Duration BASIC_LIFETIME = Duration.ofMinutes(10);

  /** Authorizations that are kept: one for each repository in use. */
  static final int MAX_KEPT = 4096;

  /** Tokens of different registries, token servers or scopes do not mix. */
  private record Key(String place, Challenge challenge, List<String> scopes) {}

  private final DockerConfig credentials;
  private final TokenServer tokens;
  private final InstantSource clock;
  private final Map<String, Challenge> challenges = new ConcurrentHashMap<>();
  private final ConcurrentHashMap<Key, Flight> kept = new ConcurrentHashMap<>();

  Authorizer(DockerConfig credentials, TokenServer tokens, InstantSource clock) {
    this.credentials = credentials;
    this.tokens = tokens;
    this.clock = clock;
  }

  /** What to send before anything was refused; empty where nothing is known to be needed. */
  Optional<Authorization> authorization(
      Source source, List<String> scopes, Lane lane, Deadline deadline)
      throws IOException, InterruptedException {
    Challenge challenge = challenges.get(place(source));
    return challenge == null
        ? Optional.empty()
        : new Request(source, challenge, scopes, lane, deadline).get(null);
  }

  /**
   * What to send after {@code refused} was refused, by 401 or 403; empty if there is nothing that
   * was not tried.
   *
   * @param refused what was sent, or null
   * @param offered the challenge of the refusal, which is remembered
   */
  Optional<Authorization> refresh(
      Source source,
      List<String> scopes,
      @Nullable Authorization refused,
      Optional<Challenge> offered,
      Lane lane,
      Deadline deadline)
      throws IOException, InterruptedException {
    if (offered.isPresent()) {
      // The scopes that it names belong to this one request.
      challenges.put(place(source), offered.get().withoutScopes());
    }
    Challenge challenge = offered.orElse(challenges.get(place(source)));
    // A 403 without credentials in play is the registry's last word.
    if (challenge == null || (offered.isEmpty() && refused == null)) {
      return Optional.empty();
    }
    return new Request(source, challenge, scopes, lane, deadline)
        .get(refused)
        .filter(fresh -> refused == null || !fresh.header().equals(refused.header()));
  }

  /** What a person can do about a refusal that remains. */
  String hint(Source source, @Nullable Authorization sent) {
    String registry = source.repository().registry();
    return sent == null || sent.anonymous()
        ? "; asked anonymously, found no credentials for %s in %s: docker login %s"
            .formatted(registry, credentials.place(), registry)
        : "; the credentials for %s in %s do not allow it".formatted(registry, credentials.place());
  }

  /** Makes room for {@code youngest}: what has expired goes, then what will expire first. */
  private void evictFor(Flight youngest) {
    if (kept.size() <= MAX_KEPT) {
      return;
    }
    Instant now = clock.instant();
    kept.values().removeIf(flight -> flight.expires().isBefore(now));
    // Others may evict at the same time; what they remove together too much is fetched again.
    for (int surplus = kept.size() - MAX_KEPT; surplus > 0; surplus--) {
      kept.entrySet().stream()
          .filter(entry -> !entry.getValue().equals(youngest))
          .min(Comparator.comparing(entry -> entry.getValue().expires()))
          .ifPresent(first -> kept.remove(first.getKey(), first.getValue()));
    }
  }

  private static String place(Source source) {
    return source.repository().registry() + " at " + source.endpoint();
  }

  /** An authorization that is there or on its way; empty if there are no credentials. */
  private static final class Flight {
    private final CompletableFuture<Optional<Authorization>> result = new CompletableFuture<>();

    /** When it is of no use any more; not soon while it is on its way. */
    Instant expires() {
      return result.state() == Future.State.SUCCESS
          ? result.join().map(Authorization::expires).orElse(Instant.MIN)
          : Instant.MAX;
    }
  }

  /** One caller that wants an authorization. */
  private final class Request {
    private final Source source;
    private final Challenge challenge;
    private final List<String> scopes;
    private final Lane lane;
    private final Deadline deadline;
    private final Key key;

    Request(Source source, Challenge challenge, List<String> scopes, Lane lane, Deadline deadline) {
      this.source = source;
      this.challenge = challenge;
      this.scopes = scopes;
      this.lane = lane;
      this.deadline = deadline;
      this.key = new Key(place(source), challenge.withoutScopes(), scopes);
    }

    Optional<Authorization> get(@Nullable Authorization refused)
        throws IOException, InterruptedException {
      while (true) {
        Flight mine = new Flight();
        Flight shared =
            kept.compute(key, (k, old) -> old != null && isGood(old, refused) ? old : mine);
        if (shared == mine) {
          return lead(mine);
        }
        try {
          return Waiting.get(shared.result, deadline);
        } catch (FailedAttempt e) {
          throw e.copy();
        } catch (Interrupted leader) {
          if (deadline.passed()) {
            throw late(leader);
          }
        } catch (SocketTimeoutException e) {
          throw late(e);
        }
      }
    }

    private FailedAttempt late(IOException cause) {
      return new FailedAttempt(
          new FetchException(
              "token for " + source.repository() + ": another request for it is not done in time",
              FetchException.Reason.UNREACHABLE,
              0,
              cause),
          null);
    }

    private boolean isGood(Flight old, @Nullable Authorization refused) {
      if (!old.result.isDone()) {
        return true;
      }
      return !old.result.isCompletedExceptionally()
          && old.result
              .join()
              .filter(a -> refused == null || !a.header().equals(refused.header()))
              .filter(a -> clock.instant().isBefore(a.expires()))
              .isPresent();
    }

    private Optional<Authorization> lead(Flight mine) throws IOException, InterruptedException {
      Optional<Authorization> fetched = Optional.empty();
      Throwable failure = new Interrupted();
      try {
        fetched = fetch();
        failure = null;
        return fetched;
      } catch (IOException | RuntimeException e) {
        failure = e;
        throw e;
      } finally {
        if (failure != null || fetched.isEmpty()) {
          kept.remove(key, mine);
        }
        if (failure == null) {
          mine.result.complete(fetched);
          evictFor(mine);
        } else {
          mine.result.completeExceptionally(failure);
        }
      }
    }

    private Optional<Authorization> fetch() throws IOException, InterruptedException {
      Optional<Credential> found = credentials.find(source.repository().registry());
      if (found.orElse(null) instanceof Credential.RegistryToken(String token)) {
        return Optional.of(lasting("Bearer " + token));
      }
      return switch (challenge) {
        case Challenge.Basic() ->
            found.orElse(null) instanceof Credential.Password password
                ? Optional.of(lasting(Credential.basic(password)))
                : Optional.empty();
        case Challenge.Bearer bearer ->
            Optional.of(tokens.get(source, bearer, scopes, found, lane, deadline));
      };
    }

    private Authorization lasting(String header) {
      return new Authorization(header, false, clock.instant().plus(BASIC_LIFETIME));
    }
  }

  /** Who fetched for others was interrupted. */
  private static final class Interrupted extends IOException {
    private static final long serialVersionUID = 1L;

    Interrupted() {
      super("interrupted while it got a token that others wait for");
    }
  }
}

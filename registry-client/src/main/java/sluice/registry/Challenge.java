package sluice.registry;

import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import okhttp3.HttpUrl;

/** How a registry wants requests authorized (RFC 9110 section 11; Docker's token protocol). */
sealed interface Challenge {

  /** User and password in each request. */
  record Basic() implements Challenge {}

  /**
   * A token of a token server.
   *
   * @param realm where tokens come from
   * @param service what the token server calls the registry, empty if it has no name
   * @param scopes what the refused request would have needed, empty if that is not said
   */
  record Bearer(HttpUrl realm, String service, List<String> scopes) implements Challenge {}

  /** The challenge as it holds for every request to the registry. */
  default Challenge withoutScopes() {
    return switch (this) {
      case Basic basic -> basic;
      case Bearer bearer -> new Bearer(bearer.realm, bearer.service, List.of());
    };
  }

  /** The challenge that is answered best, of those in a 401: a token before a password. */
  static Optional<Challenge> choose(List<okhttp3.Challenge> offered) {
    Optional<Challenge> basic = Optional.empty();
    for (okhttp3.Challenge challenge : offered) {
      String scheme = challenge.scheme().toLowerCase(Locale.ROOT);
      if (scheme.equals("bearer")) {
        Optional<Challenge> bearer = bearer(challenge);
        if (bearer.isPresent()) {
          return bearer;
        }
      }
      if (scheme.equals("basic")) {
        basic = Optional.of(new Basic());
      }
    }
    return basic;
  }

  private static Optional<Challenge> bearer(okhttp3.Challenge challenge) {
    Map<String, String> parameters = new HashMap<>();
    challenge
        .authParams()
        .forEach((name, value) -> {
          if (name != null) {
            parameters.put(name.toLowerCase(Locale.ROOT), value);
          }
        });
    HttpUrl realm = HttpUrl.parse(parameters.getOrDefault("realm", ""));
    if (realm == null) {
      return Optional.empty();
    }
    String scope = parameters.getOrDefault("scope", "").strip();
    return Optional.of(
        new Bearer(
            realm,
            parameters.getOrDefault("service", ""),
            scope.isEmpty() ? List.of() : List.of(scope.split(" +"))));
  }
}

package sluice.registry;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import okhttp3.FormBody;
import okhttp3.HttpUrl;
import okhttp3.Request;
import sluice.core.Bytes;
import sluice.core.CorruptException;
import sluice.core.FetchException;
import sluice.core.FetchException.Reason;
import sluice.core.Lane;

/**
 * Gets tokens (distribution project, "Token Authentication Specification" and "OAuth2 Token
 * Authentication"). Asks once; the request that needed the token is what is tried again.
 */
final class TokenServer {

  /** What the specification says of an answer without {@code expires_in}. */
  private static final long DEFAULT_EXPIRES_SECONDS = 60;

  /** A token is not used longer than this share of what the server promised, for clocks drift. */
  private static final double USED_SHARE = 0.9;

  /** Keeps the arithmetic in bounds. */
  private static final long MAX_EXPIRES_SECONDS = 30L * 24 * 3600;

  private final Transport transport;
  private final InstantSource clock;

  TokenServer(Transport transport, InstantSource clock) {
    this.transport = transport;
    this.clock = clock;
  }

  /**
   * A token for {@code scopes} and for those that the challenge names.
   *
   * @param credential who asks; nobody in particular if it is empty
   */
  Authorization get(
      Source source,
      Challenge.Bearer challenge,
      List<String> scopes,
      Optional<Credential> credential,
      Lane lane,
      Deadline deadline)
      throws IOException, InterruptedException {
    String what =
        "token for %s from %s".formatted(source.repository(), Urls.redacted(challenge.realm()));
    if (source.endpoint().base().isHttps() && !challenge.realm().isHttps()) {
      throw new FailedAttempt(
          what + ": the registry sends credentials to plain HTTP, not done", Reason.PROTOCOL, 0);
    }
    Set<String> all = new LinkedHashSet<>(scopes);
    all.addAll(challenge.scopes());
    Request request = request(challenge, all, credential);
    Answer answer;
    try {
      answer = transport.send(request, lane, Slots.Use.ANSWER, deadline);
    } catch (IOException e) {
      throw unreachable(what, e);
    }
    try (answer) {
      if (answer.status() != 200) {
        String hint =
            credential.map(c -> " (asked with the " + c + ')').orElse(" (asked anonymously)");
        throw Refusal.read(answer, deadline, clock).failure(what, hint);
      }
      return authorization(what, credential.isEmpty(), answer, deadline);
    }
  }

  private static Request request(
      Challenge.Bearer challenge, Set<String> scopes, Optional<Credential> credential) {
    if (credential.orElse(null) instanceof Credential.IdentityToken(String token)) {
      FormBody form =
          new FormBody.Builder()
              .add("grant_type", "refresh_token")
              .add("service", challenge.service())
              .add("client_id", "sluice")
              .add("scope", String.join(" ", scopes))
              .add("refresh_token", token)
              .build();
      return new Request.Builder().url(challenge.realm()).post(form).build();
    }
    HttpUrl.Builder url = challenge.realm().newBuilder();
    if (!challenge.service().isEmpty()) {
      url.addQueryParameter("service", challenge.service());
    }
    for (String scope : scopes) {
      url.addQueryParameter("scope", scope);
    }
    Request.Builder request = new Request.Builder().get();
    if (credential.orElse(null) instanceof Credential.Password password) {
      url.addQueryParameter("account", password.user());
      request.header("Authorization", Credential.basic(password));
    }
    return request.url(url.build()).build();
  }

  private Authorization authorization(
      String what, boolean anonymous, Answer answer, Deadline deadline)
      throws IOException, InterruptedException {
    byte[] body;
    try {
      body =
          answer.read(deadline, source -> source.inputStream().readNBytes(Limits.TOKEN_BYTES + 1));
    } catch (IOException e) {
      answer.abort();
      throw unreachable(what, e);
    }
    if (body.length > Limits.TOKEN_BYTES) {
      answer.abort();
      throw new FailedAttempt(
          what + ": an answer of more than " + Limits.TOKEN_BYTES + " bytes", Reason.PROTOCOL, 200);
    }
    try {
      JsonObject json = JsonObject.parse(Bytes.of(body), what);
      // OAuth2 calls it access_token; servers send one name or both.
      String token =
          json.optionalText("token").orElse(json.optionalText("access_token").orElse(""));
      if (token.isEmpty() || token.chars().anyMatch(c -> c <= ' ' || c > '~')) {
        throw json.corrupt("token: a word expected, is missing or has other characters");
      }
      return new Authorization("Bearer " + token, anonymous, expires(json));
    } catch (CorruptException e) {
      throw new FailedAttempt(
          new FetchException(String.valueOf(e.getMessage()), Reason.PROTOCOL, 200, e), null);
    }
  }

  private Instant expires(JsonObject json) throws CorruptException {
    long seconds =
        Math.clamp(
            json.optionalCount("expires_in").orElse(DEFAULT_EXPIRES_SECONDS),
            0,
            MAX_EXPIRES_SECONDS);
    return clock.instant().plus(Duration.ofMillis((long) (seconds * 1000 * USED_SHARE)));
  }

  private static FailedAttempt unreachable(String what, IOException cause) {
    return new FailedAttempt(
        new FetchException(what + ": " + cause.getMessage(), Reason.UNREACHABLE, 0, cause), null);
  }
}

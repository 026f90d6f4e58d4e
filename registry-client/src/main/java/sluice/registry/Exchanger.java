package sluice.registry;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.security.cert.CertificateException;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLPeerUnverifiedException;
import okhttp3.HttpUrl;
import okhttp3.Request;
import org.jspecify.annotations.Nullable;
import sluice.core.CorruptException;
import sluice.core.Digest;
import sluice.core.FetchException;
import sluice.core.FetchException.Reason;
import sluice.core.Lane;

/**
 * Turns one {@link Ask} into an accepted {@link Answer}: authorizes it, follows its redirects, and
 * asks again once with fresh credentials. Blobs are asked for where the last answer came from, and
 * once at the origin when that fails in any way. What fails beyond that is a {@link FailedAttempt},
 * for {@link Failover} to decide.
 *
 * <p>Credentials and the endpoint's headers go to the endpoint's own host alone.
 */
final class Exchanger {

  private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);

  /** Redirects that repeat a request with its body (RFC 9110 section 15.4). */
  private static final Set<Integer> REPEATING_REDIRECTS = Set.of(307, 308);

  private final Transport transport;
  private final Authorizer authorizer;
  private final RedirectCache redirects;
  private final InstantSource clock;

  Exchanger(
      Transport transport, Authorizer authorizer, RedirectCache redirects, InstantSource clock) {
    this.transport = transport;
    this.authorizer = authorizer;
    this.redirects = redirects;
    this.clock = clock;
  }

  /** What one exchange has come to so far. */
  private static final class Progress {
    private HttpUrl url;
    private boolean refreshed;
    private @Nullable Authorization authorization;
    private final Set<HttpUrl> visited = new HashSet<>();

    Progress(HttpUrl url) {
      this.url = url;
    }

    void restart(HttpUrl origin) {
      url = origin;
      visited.clear();
    }
  }

  /** What is done with the answer that has a blob, or a range of one. */
  interface BlobReader<T> {
    /**
     * Takes over {@code answer}, and closes it if it throws.
     *
     * @throws FailedAttempt if it is not what was asked for
     * @throws CorruptException if it has not its digest
     */
    T read(Answer answer) throws IOException, InterruptedException;
  }

  /**
   * Asks for a blob, or for a range of one, and lets {@code reader} read the answer.
   *
   * <p>Where a registry redirects to is remembered, so that the next range need not ask it. An
   * object store refuses a signature that is no longer good in many ways, and a content network may
   * be broken in one place for an hour; so whatever fails there is asked for once more at the
   * registry, which redirects anew.
   */
  <T> T readBlob(Source source, Ask ask, Lane lane, Deadline deadline, BlobReader<T> reader)
      throws IOException, InterruptedException {
    Optional<HttpUrl> target = redirects.target(ask.url());
    if (target.isEmpty()) {
      return readFromOrigin(source, ask, lane, deadline, reader);
    }
    try {
      return reader.read(open(source, ask, new Progress(target.get()), lane, deadline));
    } catch (FailedAttempt | CorruptException stale) {
      redirects.forget(ask.url());
      try {
        return readFromOrigin(source, ask, lane, deadline, reader);
      } catch (IOException e) {
        e.addSuppressed(stale);
        throw e;
      }
    }
  }

  private <T> T readFromOrigin(
      Source source, Ask ask, Lane lane, Deadline deadline, BlobReader<T> reader)
      throws IOException, InterruptedException {
    Answer answer = open(source, ask, lane, deadline);
    if (!source.endpoint().isOriginOf(answer.url())) {
      redirects.remember(ask.url(), answer.url());
    }
    try {
      return reader.read(answer);
    } catch (FailedAttempt | CorruptException e) {
      redirects.forget(ask.url());
      throw e;
    }
  }

  /** Asks {@code source} itself the next time: what was read from where it led to is wrong. */
  void forgetRedirect(Source source, Digest blob) {
    try {
      redirects.forget(source.blob(blob));
    } catch (FetchException e) {
      // A source without a URL has redirected nobody.
      return;
    }
  }

  /** As {@link #forgetRedirect(Source, Digest)}, by what was asked. */
  void forgetRedirect(Ask ask) {
    redirects.forget(ask.url());
  }

  /**
   * Sends {@code ask} and returns the answer, whose status is one that it accepts and whose body is
   * unread. The caller closes it.
   */
  Answer open(Source source, Ask ask, Lane lane, Deadline deadline)
      throws IOException, InterruptedException {
    Progress progress = new Progress(ask.url());
    progress.authorization =
        authorizer.authorization(source, ask.scopes(), lane, deadline).orElse(null);
    return open(source, ask, progress, lane, deadline);
  }

  private Answer open(Source source, Ask ask, Progress progress, Lane lane, Deadline deadline)
      throws IOException, InterruptedException {
    while (true) {
      Answer answer = send(source, ask, progress, lane, deadline);
      if (ask.accepted().contains(answer.status())) {
        return answer;
      }
      if (!redirected(ask, answer, progress)) {
        recover(source, ask, refusal(answer, deadline), progress, lane, deadline);
      }
    }
  }

  /** Reads from the body of {@code answer}; when that fails, its connection is given up. */
  <T> T readBody(Ask ask, Answer answer, Deadline deadline, Answer.BodyReader<T> reader)
      throws IOException, InterruptedException {
    boolean read = false;
    try {
      T result = answer.read(deadline, reader);
      read = true;
      return result;
    } catch (FailedAttempt e) {
      throw e;
    } catch (IOException e) {
      redirects.forget(ask.url());
      throw unreachable(describe(ask, answer.url()), e);
    } finally {
      if (!read) {
        answer.abort();
      }
    }
  }

  /** What {@code answer} says; closes it, for getting a token needs a slot too. */
  private Refusal refusal(Answer answer, Deadline deadline) throws InterruptedException {
    try (answer) {
      return Refusal.read(answer, deadline, clock);
    }
  }

  private Answer send(Source source, Ask ask, Progress progress, Lane lane, Deadline deadline)
      throws IOException, InterruptedException {
    Request.Builder request =
        new Request.Builder().url(progress.url).method(ask.method(), ask.body());
    // Transparent compression would change lengths, and offsets in what is read.
    request.header("Accept-Encoding", "identity").header("User-Agent", "sluice");
    ask.headers().forEach(request::header);
    if (source.endpoint().isOriginOf(progress.url)) {
      Authorization authorization = progress.authorization;
      if (authorization != null) {
        request.header("Authorization", authorization.header());
      }
      source.endpoint().headers().forEach(request::header);
    }
    try {
      return transport.send(request.build(), lane, ask.use(), deadline);
    } catch (IOException e) {
      throw unreachable(describe(ask, progress.url), e);
    }
  }

  /** Moves on to where {@code answer} redirects, and closes it, if it does. */
  private static boolean redirected(Ask ask, Answer answer, Progress progress)
      throws FailedAttempt {
    Set<Integer> followed = ask.isRead() ? REDIRECTS : REPEATING_REDIRECTS;
    Optional<String> location = answer.header("Location");
    if (!followed.contains(answer.status()) || location.isEmpty()) {
      return false;
    }
    answer.close();
    String what = describe(ask, progress.url);
    HttpUrl next = progress.url.resolve(location.get());
    if (next == null) {
      throw new FailedAttempt(
          what + ": redirected to what is no HTTP URL", Reason.PROTOCOL, answer.status());
    }
    if (progress.url.isHttps() && !next.isHttps()) {
      throw new FailedAttempt(
          what + ": redirected from HTTPS to plain HTTP at " + Urls.host(next) + ", not followed",
          Reason.PROTOCOL,
          answer.status());
    }
    progress.visited.add(progress.url);
    if (progress.visited.contains(next) || progress.visited.size() > Limits.REDIRECTS) {
      throw new FailedAttempt(
          "%s: redirected in a loop, or more than %d times, last to %s"
              .formatted(what, Limits.REDIRECTS, Urls.host(next)),
          Reason.PROTOCOL,
          answer.status());
    }
    progress.url = next;
    return true;
  }

  /** Prepares one more try after a refusal, or throws. */
  private void recover(
      Source source, Ask ask, Refusal refusal, Progress progress, Lane lane, Deadline deadline)
      throws IOException, InterruptedException {
    boolean unauthorized =
        (refusal.status() == 401 || refusal.status() == 403)
            && source.endpoint().isOriginOf(progress.url);
    if (unauthorized && !progress.refreshed) {
      Optional<Authorization> fresh =
          authorizer.refresh(
              source, ask.scopes(), progress.authorization, refusal.challenge(), lane, deadline);
      if (fresh.isPresent()) {
        progress.refreshed = true;
        progress.authorization = fresh.get();
        progress.restart(ask.url());
        return;
      }
    }
    String hint = unauthorized ? authorizer.hint(source, progress.authorization) : "";
    throw refusal.failure(describe(ask, progress.url), hint);
  }

  private static String describe(Ask ask, HttpUrl at) {
    return Urls.host(at).equals(Urls.host(ask.url()))
        ? ask.toString()
        : ask + " (redirected to " + Urls.host(at) + ')';
  }

  private static FailedAttempt unreachable(String what, IOException cause) {
    // Waiting does not mend a certificate.
    Reason reason = isUntrusted(cause) ? Reason.PROTOCOL : Reason.UNREACHABLE;
    String message = "%s: %s".formatted(what, explain(cause));
    return new FailedAttempt(new FetchException(message, reason, 0, cause), null);
  }

  private static boolean isUntrusted(IOException failure) {
    if (failure instanceof SSLPeerUnverifiedException) {
      return true;
    }
    return failure instanceof SSLException && (failure.getCause() instanceof CertificateException);
  }

  private static String explain(IOException cause) {
    String message = cause.getMessage();
    String said = message == null ? cause.getClass().getSimpleName() : message;
    if (cause instanceof SocketTimeoutException) {
      return "timed out: " + said;
    }
    return isUntrusted(cause)
        ? said
            + "; if this registry is to be trusted, add the CA of its certificate to the host's"
            + " bundle, or name a bundle by SSL_CERT_FILE"
        : said;
  }

  /** For {@link Ask}s whose headers hold a range. */
  static String range(long offset, long lengthBytes) {
    return "bytes=" + offset + '-' + (lengthBytes < 0 ? "" : offset + lengthBytes - 1);
  }
}

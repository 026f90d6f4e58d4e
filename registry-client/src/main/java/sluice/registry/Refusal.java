package sluice.registry;

import java.io.IOException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import sluice.core.Bytes;
import sluice.core.CorruptException;
import sluice.core.FetchException;
import sluice.core.FetchException.Reason;

/**
 * An answer that is none: what it says, as far as that may be shown. Bodies of redirect targets can
 * quote the signature that they refuse, so only known fields are taken from them.
 *
 * @param status the HTTP status
 * @param said the codes and messages of the body, empty if it has none
 * @param retryAfter how long the server asks to wait, if it does
 * @param challenge how it wants to be asked, if it says so
 */
record Refusal(
    int status, String said, Optional<Duration> retryAfter, Optional<Challenge> challenge) {

  /** The error code of object stores: {@code <Code>AccessDenied</Code>}. */
  private static final Pattern XML_CODE = Pattern.compile("<Code>([A-Za-z]{1,64})</Code>");

  private static final Pattern QUERY = Pattern.compile("\\?\\S+");
  private static final Pattern CONTROL = Pattern.compile("\\p{Cntrl}+");

  /** A longer wait than this is no wait but a refusal; also keeps the arithmetic in bounds. */
  private static final long MAX_RETRY_AFTER_SECONDS = 24L * 3600;

  /** Errors of one body that are shown. */
  private static final int MAX_ERRORS = 5;

  /** Reads what {@code answer} says; a body that can't be read says nothing. */
  static Refusal read(Answer answer, Deadline deadline, InstantSource clock)
      throws InterruptedException {
    Optional<Duration> retryAfter =
        answer.header("Retry-After").flatMap(header -> retryAfter(header, clock));
    String said;
    try {
      said = said(answer, deadline);
    } catch (IOException e) {
      said = "";
    }
    return new Refusal(
        answer.status(), said, retryAfter, Challenge.choose(answer.response().challenges()));
  }

  Reason reason() {
    return switch (status) {
      case 401, 403 -> Reason.UNAUTHORIZED;
      case 404, 410 -> Reason.NOT_FOUND;
      case 408, 425, 429 -> Reason.THROTTLED;
      default -> status >= 500 ? Reason.SERVER_ERROR : Reason.PROTOCOL;
    };
  }

  /** The failure of {@code what}, with {@code hint} at its end. */
  FailedAttempt failure(String what, String hint) {
    String wait =
        retryAfter.map(asked -> ", to be asked again in " + asked.toSeconds() + " s").orElse("");
    String message =
        "%s: status %d%s%s%s".formatted(what, status, said.isEmpty() ? "" : " " + said, wait, hint);
    return new FailedAttempt(
        new FetchException(message, reason(), status, null), retryAfter.orElse(null));
  }

  private static String said(Answer answer, Deadline deadline)
      throws IOException, InterruptedException {
    byte[] body =
        answer.read(deadline, source -> source.inputStream().readNBytes(Limits.ERROR_BYTES));
    String type = answer.header("Content-Type").orElse("").toLowerCase(Locale.ROOT);
    String text = Bytes.of(body).toString().strip();
    if (text.startsWith("{")) {
      return shorten(errors(Bytes.of(body)));
    }
    Matcher code = XML_CODE.matcher(text);
    if (code.find()) {
      return code.group(1);
    }
    return type.startsWith("text/plain") ? shorten(text) : "";
  }

  /** OCI distribution specification, "Error Codes"; other JSON says nothing that is understood. */
  private static String errors(Bytes body) {
    List<String> shown = new ArrayList<>();
    try {
      for (JsonObject error : JsonObject.parse(body, "error").objects("errors")) {
        if (shown.size() < MAX_ERRORS) {
          String code = error.optionalText("code").orElse("");
          String message = error.optionalText("message").orElse("");
          shown.add(message.isEmpty() ? code : code + ": " + message);
        }
      }
    } catch (CorruptException e) {
      return String.join("; ", shown);
    }
    return String.join("; ", shown);
  }

  private static String shorten(String text) {
    String clean = CONTROL.matcher(QUERY.matcher(text).replaceAll("?…")).replaceAll(" ").strip();
    return clean.length() <= Limits.ERROR_SHOWN_CHARS
        ? clean
        : clean.substring(0, Limits.ERROR_SHOWN_CHARS) + "…";
  }

  /** RFC 9110 section 10.2.3: seconds, or a date. */
  static Optional<Duration> retryAfter(String header, InstantSource clock) {
    long seconds;
    try {
      seconds = Long.parseLong(header.strip());
    } catch (NumberFormatException notSeconds) {
      @Nullable Instant date = date(header.strip());
      if (date == null) {
        return Optional.empty();
      }
      seconds = Duration.between(clock.instant(), date).plusMillis(999).toSeconds();
    }
    return Optional.of(Duration.ofSeconds(Math.clamp(seconds, 0, MAX_RETRY_AFTER_SECONDS)));
  }

  private static @Nullable Instant date(String header) {
    try {
      return Instant.from(DateTimeFormatter.RFC_1123_DATE_TIME.parse(header));
    } catch (DateTimeException e) {
      return null;
    }
  }
}

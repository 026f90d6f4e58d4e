package sluice.testing;

import java.time.Duration;

/** What a {@link FaultyRegistry} does to a request instead of answering it rightly. */
public sealed interface RegistryFault {

  /** Turns over all bits of one byte; answers that do not hold it stay right. */
  record WrongByte(long offset) implements RegistryFault {}

  /** Answers 200 with the whole blob, whatever range was asked for. */
  record WholeInsteadOfRange() implements RegistryFault {}

  /** Announces the whole body, sends its first bytes and ends the connection. */
  record ShortBody(int bytes) implements RegistryFault {}

  /** Answers with a status and nothing that helps. */
  record Status(int code) implements RegistryFault {}

  /** Answers 429 and says when to come back. */
  record TooManyRequests(Duration retryAfter) implements RegistryFault {}

  /** Redirects each request to another path, for ever. */
  record RedirectLoop() implements RegistryFault {}

  /** Takes the request and does not answer before the registry is mended. */
  record Hang() implements RegistryFault {}
}

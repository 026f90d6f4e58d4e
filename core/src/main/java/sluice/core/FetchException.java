package sluice.core;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A registry, or an image layout, did not give what it was asked for. Holds no secrets. */
public final class FetchException extends IOException {
  private static final long serialVersionUID = 1L;

  /** Why, in the words that metrics use. */
  public enum Reason {
    /** No connection, a broken one, or no answer in time. */
    UNREACHABLE,
    /** 401 or 403. */
    UNAUTHORIZED,
    /** 404. */
    NOT_FOUND,
    /** 429, or another answer that asks to come again later. */
    THROTTLED,
    /** 5xx. */
    SERVER_ERROR,
    /** An answer that breaks the protocol: wrong status, range, length or digest. */
    PROTOCOL
  }

  private final Reason reason;
  private final int status;

  /**
   * @param status the HTTP status, 0 if there was none
   */
  public FetchException(String message, Reason reason, int status, @Nullable Throwable cause) {
    super(message, cause);
    this.reason = reason;
    this.status = status;
  }

  public Reason reason() {
    return reason;
  }

  /** The HTTP status, 0 if there was none. */
  public int status() {
    return status;
  }

  /** Whether the same request may succeed later without anybody changing anything. */
  public boolean temporary() {
    return switch (reason) {
      case UNREACHABLE, THROTTLED, SERVER_ERROR -> true;
      case UNAUTHORIZED, NOT_FOUND, PROTOCOL -> false;
    };
  }
}

package sluice.core;

import java.io.IOException;

/** A layer, or the whole image, is of a kind or a size that Sluice does not serve. */
public final class UnservedException extends IOException {
  private static final long serialVersionUID = 1L;

  public UnservedException(String message) {
    super(message);
  }
}

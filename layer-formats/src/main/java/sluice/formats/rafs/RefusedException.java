package sluice.formats.rafs;

import java.io.IOException;

/** A bootstrap says of its image what we do not serve; the message says what, and why. */
final class RefusedException extends IOException {
  private static final long serialVersionUID = 1L;

  RefusedException(String reason) {
    super(reason);
  }
}

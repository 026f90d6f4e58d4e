package sluice.formats.soci;

import java.io.IOException;

/** A layer of which there can't be an index, however often one tries. The message says why. */
final class UnseekableException extends IOException {

  private static final long serialVersionUID = 1;

  UnseekableException(String message) {
    super(message);
  }
}

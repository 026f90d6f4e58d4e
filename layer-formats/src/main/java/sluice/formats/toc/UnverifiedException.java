package sluice.formats.toc;

import java.io.IOException;
import sluice.core.CorruptException;

/**
 * What was fetched is not what the image names, or nobody can tell because it cannot be read so
 * far. Another holder may have the right bytes.
 */
final class UnverifiedException extends IOException {
  private static final long serialVersionUID = 1L;

  private final CorruptException problem;

  UnverifiedException(CorruptException problem) {
    super(problem);
    this.problem = problem;
  }

  CorruptException problem() {
    return problem;
  }
}

package sluice.core;

import java.nio.ByteBuffer;

/**
 * Compares what chunks decode to with what their index states of it: of the bytes between the
 * placements, which no device holds, and which say whether the index is right. Who makes statements
 * and who compares them agree on their form; all others pass them on. Safe for use by many threads.
 */
@FunctionalInterface
public interface StatementCheck {

  /** For caches of devices of which nothing is stated: a statement cannot be compared there. */
  StatementCheck NONE =
      (statement, decoded, resource) -> {
        throw new CorruptException(
            "%d bytes of statements, and nothing to compare them with"
                .formatted(statement.remaining()),
            resource,
            -1);
      };

  /**
   * Compares a whole chunk.
   *
   * @param statement a part of {@link DeviceIndex#statements}, not empty
   * @param decoded the decoded chunk; no position changes
   * @param resource names it in errors
   * @throws CorruptException if the bytes are not as stated, or the statement is none; says what
   *     was found, what was stated, and where
   */
  void check(ByteBuffer statement, ByteBuffer decoded, String resource) throws CorruptException;
}

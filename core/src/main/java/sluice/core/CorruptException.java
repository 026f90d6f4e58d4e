package sluice.core;

import java.io.IOException;

/**
 * Data from outside breaks its format, or is not what its digest says.
 *
 * <p>The message ends with the resource and the offset: {@code superblock: magic 0x1234, expected
 * 0xe0f5e1e2 (resource=layer sha256:ab…, offset=1024)}.
 */
public final class CorruptException extends IOException {
  private static final long serialVersionUID = 1L;

  private final String resource;
  private final long offset;

  /**
   * @param message the structure, what was found and what was expected
   * @param resource what was read: a layer, a blob, a file
   * @param offset where in the resource, in bytes; -1 if that says nothing
   */
  public CorruptException(String message, String resource, long offset) {
    super(
        offset < 0
            ? "%s (resource=%s)".formatted(message, resource)
            : "%s (resource=%s, offset=%d)".formatted(message, resource, offset));
    this.resource = resource;
    this.offset = offset;
  }

  public String resource() {
    return resource;
  }

  /** Where in the resource, in bytes; -1 if that says nothing. */
  public long offset() {
    return offset;
  }
}

package sluice.core;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Set;

/**
 * Where the bytes of blobs come from: registries and image layouts. Safe for use by many threads;
 * calls block and answer an interrupt of their thread with {@link InterruptedException}.
 *
 * <p>Retries, credentials, redirects and the choice among repositories lie behind this port. The
 * bytes are <em>not</em> verified.
 */
public interface RangeSource {

  /**
   * Fills {@code into} with the blob's bytes from {@code offset} on: exactly {@code
   * into.remaining()} bytes, or an exception.
   *
   * @param holders repositories that hold the blob, at least one; any of them may serve
   * @throws FetchException if no repository gave the bytes
   */
  void read(Digest blob, Set<Repository> holders, long offset, ByteBuffer into, Lane lane)
      throws IOException, InterruptedException;

  /**
   * Opens the whole blob as a stream, which the caller closes.
   *
   * @throws FetchException if no repository has the blob
   */
  InputStream open(Digest blob, Set<Repository> holders, Lane lane)
      throws IOException, InterruptedException;

  /**
   * Tells that bytes which {@link #read} or {@link #open} gave are not what their digest says.
   * Whoever gave them should be asked last from now on, so that a repeated call gets another
   * holder's bytes; nobody is shut out, since the digest may be what is wrong. Returns at once and
   * never throws. Does nothing unless overridden.
   *
   * @param holders as they were given with the call
   * @param offset as it was given with the call; 0 for {@link #open}. Where several calls had the
   *     same blob and offset, the latest is meant.
   */
  default void rejected(Digest blob, Set<Repository> holders, long offset) {}
}

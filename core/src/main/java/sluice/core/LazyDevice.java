package sluice.core;

import java.io.IOException;
import java.nio.file.Path;

/**
 * The uncompressed, read-only address space of one blob, kept in a sparse file that fills as it is
 * read. Safe for use by many threads.
 */
public interface LazyDevice {

  DeviceId id();

  /** Length of the address space in bytes, a multiple of 4096; also the length of {@link #file}. */
  long lengthBytes();

  /**
   * The sparse file. Only bytes that are {@link #present} may be read from it, and only with {@code
   * pread}: a page fault on it would stop the JVM that must fill it.
   */
  Path file();

  /**
   * Whether every byte of the range that a chunk covers is in {@link #file} and verified. Never
   * blocks and costs no system call.
   */
  boolean present(long offset, long length);

  /**
   * Returns when {@link #present} holds for the range. Fetches what is missing; joins fetches of
   * the same chunks that are under way. Failures are not remembered: the next call tries again.
   *
   * @throws FetchException if no repository gives the bytes
   * @throws CorruptException if the bytes are not what their digest says; nothing of them is kept
   * @throws InterruptedException if the calling thread is interrupted; the fetch goes on if others
   *     wait for it
   */
  void ensure(long offset, long length, Lane lane) throws IOException, InterruptedException;
}

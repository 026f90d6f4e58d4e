package sluice.fuse;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;

/** A mounted file system and what serves it. Safe for use by many threads. */
public interface FuseSession extends Closeable {

  /** Where it is mounted. */
  Path target();

  /** Whether it has ended: unmounted by {@link #close} or by somebody else. */
  boolean ended();

  /** Waits until it has ended. */
  void awaitEnd() throws InterruptedException;

  /** Unmounts, and lets go of the file system. Who still reads it gets an error. */
  @Override
  void close() throws IOException;
}

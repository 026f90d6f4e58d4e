package sluice.erofs;

import java.io.IOException;

/** What one tree takes of the {@link TreeRoom}. For one thread; closing gives it back. */
public sealed interface TreeShare extends LayerTree.Growth, AutoCloseable
    permits TableShare, StreamShare {

  /**
   * Takes more; it may have to wait for others.
   *
   * @throws sluice.core.CorruptException if no tree of a table may be that large
   * @throws java.io.InterruptedIOException if the thread is interrupted while it waits; it stays
   *     interrupted
   * @throws sluice.core.UnservedException if no tree of a stream may be, or other streams left it
   *     nothing for too long
   */
  @Override
  void grow(long bytes) throws IOException;

  @Override
  void close();
}

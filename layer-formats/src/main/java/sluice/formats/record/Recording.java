package sluice.formats.record;

import sluice.core.ChunkEncoding.StreamCompression;

/**
 * The recording of one layer, while it streams. None of the methods throws: what goes wrong with a
 * recording is no concern of the layer's.
 *
 * <p>{@link #encoded} is called by one thread, {@link #entry} and {@link #endOfEntries} by another
 * one at the same time; {@link #verified} and {@link #close} when both are done.
 */
public interface Recording extends AutoCloseable {

  /** Records nothing. */
  Recording NONE =
      new Recording() {
        @Override
        public void encoded(byte[] bytes, int offset, int length) {}

        @Override
        public void entry(RecordedEntry entry) {}

        @Override
        public void endOfEntries(long tarOffset) {}

        @Override
        public void verified(StreamCompression compression) {}

        @Override
        public void close() {}
      };

  /** The next bytes of the blob, which may be overwritten when this returns. */
  void encoded(byte[] bytes, int offset, int length);

  /** The next entry of the tar stream. */
  void entry(RecordedEntry entry);

  /**
   * The last entry was given.
   *
   * @param tarOffset behind the mark that ends the tar stream; what follows is padding
   */
  void endOfEntries(long tarOffset);

  /**
   * The layer has ended; its digest and its diff-id are those that were expected.
   *
   * @param compression what the blob turned out to be
   */
  void verified(StreamCompression compression);

  /** Ends the recording. What was not {@link #verified} by then is dropped. */
  @Override
  void close();
}

package sluice.formats.tar;

import java.io.IOException;
import java.security.MessageDigest;
import org.jspecify.annotations.Nullable;
import sluice.core.CorruptException;

/** The tar stream as it comes out of the pipe, hashed whole. For one thread. */
final class TarInput {

  /** Takes pieces of the stream, in order. */
  @FunctionalInterface
  interface Sink {
    /**
     * Takes the next piece.
     *
     * @param streamOffset where in the tar stream the piece lies
     * @param bytes holds the piece until the method returns
     */
    void data(long streamOffset, byte[] bytes, int offset, int length) throws IOException;
  }

  private final BlockPipe pipe;
  private final MessageDigest hash;
  private final String resource;

  private BlockPipe.@Nullable Block block;
  private int blockPosition;
  private long position;

  TarInput(BlockPipe pipe, MessageDigest hash, String resource) {
    this.pipe = pipe;
    this.hash = hash;
    this.resource = resource;
  }

  /** Offset in the stream of the next byte. */
  long position() {
    return position;
  }

  String resource() {
    return resource;
  }

  /**
   * Fills {@code into}.
   *
   * @return false if the stream has ended before its first byte
   * @throws CorruptException if it ends after that
   */
  boolean read(byte[] into) throws IOException {
    int done = 0;
    while (done < into.length) {
      BlockPipe.Block from = block();
      if (from == null) {
        if (done == 0) {
          return false;
        }
        throw ended("%d of %d bytes".formatted(done, into.length));
      }
      int length = Math.min(into.length - done, from.length() - blockPosition);
      System.arraycopy(from.bytes(), blockPosition, into, done, length);
      advance(length);
      done += length;
    }
    return true;
  }

  /**
   * Passes the next {@code length} bytes to {@code sink}.
   *
   * @throws CorruptException if the stream ends before
   */
  void transfer(long length, Sink sink) throws IOException {
    long left = length;
    while (left > 0) {
      BlockPipe.Block from = block();
      if (from == null) {
        throw ended("%d bytes before the entry's end".formatted(left));
      }
      int piece = (int) Math.min(left, from.length() - blockPosition);
      sink.data(position, from.bytes(), blockPosition, piece);
      advance(piece);
      left -= piece;
    }
  }

  /** Skips at most {@code length} bytes; fewer only if the stream ends. */
  void skipPadding(long length) throws IOException {
    long left = length;
    BlockPipe.Block from;
    while (left > 0 && (from = block()) != null) {
      int piece = (int) Math.min(left, from.length() - blockPosition);
      advance(piece);
      left -= piece;
    }
  }

  /** Reads the rest of the stream, for its hash. */
  void drain() throws IOException {
    skipPadding(Long.MAX_VALUE);
  }

  CorruptException corrupt(String problem, long offset) {
    return new CorruptException("tar: " + problem, resource, offset);
  }

  private CorruptException ended(String where) {
    return corrupt("the stream ends " + where, position);
  }

  /** The block that holds the next byte; null at the end. */
  private BlockPipe.@Nullable Block block() throws IOException {
    BlockPipe.Block current = block;
    while (current == null || blockPosition == current.length()) {
      if (current != null) {
        pipe.emptied(current);
      }
      current = pipe.take();
      block = current;
      blockPosition = 0;
      if (current == null) {
        return null;
      }
      hash.update(current.bytes(), 0, current.length());
    }
    return current;
  }

  private void advance(int length) {
    blockPosition += length;
    position += length;
  }
}

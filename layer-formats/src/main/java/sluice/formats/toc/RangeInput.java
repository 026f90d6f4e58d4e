package sluice.formats.toc;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import sluice.core.ByteRange;

/** A range of a blob as a stream, fetched piece by piece as it is read. For one thread. */
final class RangeInput extends InputStream {

  private final BlobReads blob;
  private final ByteRange range;
  private final BlobTail tail;

  private byte[] piece = new byte[0];
  private int position;

  /** Where in the blob the next piece begins. */
  private long next;

  /**
   * @param tail what is there already of the blob's end
   */
  RangeInput(BlobReads blob, ByteRange range, BlobTail tail) {
    this.blob = blob;
    this.range = range;
    this.tail = tail;
    this.next = range.offset();
  }

  /**
   * What a reader of ranges throws for what its stream threw.
   *
   * @throws InterruptedIOException if that was no interrupt of ours
   */
  static InterruptedException interrupted(InterruptedIOException e) throws InterruptedIOException {
    if (e.getCause() instanceof InterruptedException interrupted) {
      return interrupted;
    }
    throw e;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    if (position == piece.length && !fill()) {
      return -1;
    }
    int count = Math.min(length, piece.length - position);
    System.arraycopy(piece, position, into, offset, count);
    position += count;
    return count;
  }

  private boolean fill() throws IOException {
    if (next >= range.end()) {
      return false;
    }
    position = 0;
    if (next >= tail.offset()) {
      piece = new byte[Math.toIntExact(range.end() - next)];
      tail.copy(next, piece);
    } else {
      long end = Math.min(range.end(), tail.offset());
      piece = fetch((int) Math.min(end - next, TocLimits.PIECE_BYTES));
    }
    next += piece.length;
    return true;
  }

  private byte[] fetch(int length) throws IOException {
    try {
      return blob.read(next, length);
    } catch (InterruptedException e) {
      InterruptedIOException interrupted = new InterruptedIOException("fetching a TOC");
      interrupted.initCause(e);
      throw interrupted;
    }
  }
}

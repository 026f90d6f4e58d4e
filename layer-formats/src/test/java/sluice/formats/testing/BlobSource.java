package sluice.formats.testing;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import sluice.core.Digest;
import sluice.core.FetchException;
import sluice.core.Lane;
import sluice.core.RangeSource;
import sluice.core.Repository;

/** Gives blobs by digest, from memory or from disk, and counts the streams that are open. */
public final class BlobSource implements RangeSource {

  /** Where the bytes of a blob are. */
  @FunctionalInterface
  public interface Blobs {
    /** The bytes that a registry would answer with, right or wrong. */
    byte[] bytes(Digest blob) throws IOException;
  }

  private final Blobs blobs;
  private final AtomicInteger open = new AtomicInteger();

  /** Asks {@code blobs} for each one. */
  public BlobSource(Blobs blobs) {
    this.blobs = blobs;
  }

  /** How many streams have been opened and not closed. */
  public int openStreams() {
    return open.get();
  }

  @Override
  public void read(Digest blob, Set<Repository> holders, long offset, ByteBuffer into, Lane lane)
      throws IOException {
    byte[] bytes = blobs.bytes(blob);
    if (offset + into.remaining() > bytes.length) {
      throw new FetchException("range behind the blob", FetchException.Reason.PROTOCOL, 416, null);
    }
    into.put(Arrays.copyOfRange(bytes, (int) offset, (int) offset + into.remaining()));
  }

  @Override
  public InputStream open(Digest blob, Set<Repository> holders, Lane lane) throws IOException {
    byte[] bytes = blobs.bytes(blob);
    open.incrementAndGet();
    return new ByteArrayInputStream(bytes) {
      private boolean closed;

      @Override
      public void close() {
        if (!closed) {
          closed = true;
          open.decrementAndGet();
        }
      }
    };
  }
}

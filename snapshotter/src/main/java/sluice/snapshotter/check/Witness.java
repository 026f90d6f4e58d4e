package sluice.snapshotter.check;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.Lane;
import sluice.core.RangeSource;
import sluice.core.Repository;

/**
 * Gives one layer, and can tell afterwards whether what it gave is that layer, also if its reader
 * gave up before the end. For one reader at a time.
 */
final class Witness implements RangeSource, Closeable {

  private static final int PIECE_BYTES = 256 * 1024;

  private final RangeSource source;
  private final Descriptor layer;
  private @Nullable DigestInputStream last;

  Witness(RangeSource source, Descriptor layer) {
    this.source = source;
    this.layer = layer;
  }

  @Override
  public void read(Digest blob, Set<Repository> holders, long offset, ByteBuffer into, Lane lane)
      throws IOException, InterruptedException {
    source.read(blob, holders, offset, into, lane);
  }

  @Override
  public void rejected(Digest blob, Set<Repository> holders, long offset) {
    source.rejected(blob, holders, offset);
  }

  /** Closing the stream leaves it to {@link #gaveTheLayer} to read what is left of it. */
  @Override
  public InputStream open(Digest blob, Set<Repository> holders, Lane lane)
      throws IOException, InterruptedException {
    close();
    MessageDigest hash = Digest.hasher(layer.digest().algorithm());
    DigestInputStream opened = new DigestInputStream(source.open(blob, holders, lane), hash);
    last = opened;
    return new InputStream() {
      @Override
      public int read() throws IOException {
        return opened.read();
      }

      @Override
      public int read(byte[] into, int offset, int length) throws IOException {
        return opened.read(into, offset, length);
      }
    };
  }

  /**
   * Whether the last stream has the layer's digest; reads it to its end, or to the layer's.
   *
   * @throws IOException if it breaks off
   */
  boolean gaveTheLayer() throws IOException {
    DigestInputStream stream = last;
    if (stream == null) {
      return false;
    }
    byte[] piece = new byte[PIECE_BYTES];
    long left = layer.sizeBytes() + 1;
    int count;
    while (left > 0 && (count = stream.read(piece, 0, (int) Math.min(left, PIECE_BYTES))) > 0) {
      left -= count;
    }
    return layer.digest().matches(stream.getMessageDigest().digest());
  }

  @Override
  public void close() throws IOException {
    if (last != null) {
      last.close();
    }
  }
}

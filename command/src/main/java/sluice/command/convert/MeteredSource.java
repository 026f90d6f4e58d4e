package sluice.command.convert;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import sluice.core.Digest;
import sluice.core.Lane;
import sluice.core.RangeSource;
import sluice.core.Repository;

/** Tells a phase how many bytes all its streams together have given. */
final class MeteredSource implements RangeSource {

  private final RangeSource source;
  private final ConversionProgress.Phase phase;
  private final AtomicLong received = new AtomicLong();

  MeteredSource(RangeSource source, ConversionProgress.Phase phase) {
    this.source = source;
    this.phase = phase;
  }

  @Override
  public void read(Digest blob, Set<Repository> holders, long offset, ByteBuffer into, Lane lane)
      throws IOException, InterruptedException {
    source.read(blob, holders, offset, into, lane);
  }

  @Override
  public InputStream open(Digest blob, Set<Repository> holders, Lane lane)
      throws IOException, InterruptedException {
    return new Metered(source.open(blob, holders, lane));
  }

  @Override
  public void rejected(Digest blob, Set<Repository> holders, long offset) {
    source.rejected(blob, holders, offset);
  }

  private final class Metered extends FilterInputStream {
    Metered(InputStream in) {
      super(in);
    }

    @Override
    public int read() throws IOException {
      int value = super.read();
      if (value >= 0) {
        phase.reached(received.incrementAndGet());
      }
      return value;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      int count = super.read(into, offset, length);
      if (count > 0) {
        phase.reached(received.addAndGet(count));
      }
      return count;
    }
  }
}

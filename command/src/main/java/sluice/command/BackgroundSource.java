package sluice.command;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Set;
import sluice.core.Digest;
import sluice.core.Lane;
import sluice.core.RangeSource;
import sluice.core.Repository;

/** Fetches all that is asked for with what bandwidth others leave. */
record BackgroundSource(RangeSource source) implements RangeSource {

  @Override
  public void read(Digest blob, Set<Repository> holders, long offset, ByteBuffer into, Lane lane)
      throws IOException, InterruptedException {
    source.read(blob, holders, offset, into, Lane.FILL);
  }

  @Override
  public InputStream open(Digest blob, Set<Repository> holders, Lane lane)
      throws IOException, InterruptedException {
    return source.open(blob, holders, Lane.FILL);
  }

  @Override
  public void rejected(Digest blob, Set<Repository> holders, long offset) {
    source.rejected(blob, holders, offset);
  }
}

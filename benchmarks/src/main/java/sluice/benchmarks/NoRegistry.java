package sluice.benchmarks;

import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Set;
import sluice.core.Digest;
import sluice.core.FetchException;
import sluice.core.Lane;
import sluice.core.RangeSource;
import sluice.core.Repository;

/** Has nothing: what is measured is local, and a benchmark that fetched would measure another. */
final class NoRegistry implements RangeSource {

  @Override
  public void read(Digest blob, Set<Repository> holders, long offset, ByteBuffer into, Lane lane)
      throws FetchException {
    throw missing(blob);
  }

  @Override
  public InputStream open(Digest blob, Set<Repository> holders, Lane lane) throws FetchException {
    throw missing(blob);
  }

  private static FetchException missing(Digest blob) {
    return new FetchException(
        "benchmark: blob %s is to be all local".formatted(blob),
        FetchException.Reason.NOT_FOUND,
        0,
        null);
  }
}

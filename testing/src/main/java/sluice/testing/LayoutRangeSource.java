package sluice.testing;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import sluice.core.Digest;
import sluice.core.FetchException;
import sluice.core.Lane;
import sluice.core.RangeSource;
import sluice.core.Repository;

/** Blobs of image layouts, straight from their files, and a count of what was asked for. */
public final class LayoutRangeSource implements RangeSource {

  private final AtomicLong requests = new AtomicLong();
  private final AtomicLong bytes = new AtomicLong();

  /** How many reads and streams there were. */
  public long requests() {
    return requests.get();
  }

  /** How many bytes were asked for; a stream counts whole. */
  public long bytes() {
    return bytes.get();
  }

  @Override
  public void read(Digest blob, Set<Repository> holders, long offset, ByteBuffer into, Lane lane)
      throws IOException {
    count(into.remaining());
    try (FileChannel file = FileChannel.open(find(blob, holders))) {
      long at = offset;
      while (into.hasRemaining()) {
        int count = file.read(into, at);
        if (count < 0) {
          throw new EOFException("blob %s ends at %d".formatted(blob, at));
        }
        at += count;
      }
    }
  }

  @Override
  public InputStream open(Digest blob, Set<Repository> holders, Lane lane) throws IOException {
    Path file = find(blob, holders);
    count(Files.size(file));
    return Files.newInputStream(file);
  }

  private void count(long length) {
    requests.incrementAndGet();
    bytes.addAndGet(length);
  }

  private static Path find(Digest blob, Set<Repository> holders) throws FetchException {
    for (Repository holder : holders) {
      if (holder instanceof Repository.InLayout(Path directory)) {
        Path file =
            directory.resolve("blobs").resolve(blob.algorithm().label()).resolve(blob.hex());
        if (Files.exists(file)) {
          return file;
        }
      }
    }
    throw new FetchException(
        "blob " + blob + " in " + holders, FetchException.Reason.NOT_FOUND, 404, null);
  }
}

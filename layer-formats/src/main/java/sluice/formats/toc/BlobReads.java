package sluice.formats.toc;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import sluice.core.Digest;
import sluice.core.Lane;
import sluice.core.RangeSource;
import sluice.core.Repository;

/** Reads parts of a blob that nobody has verified yet, and remembers which. For one thread. */
public final class BlobReads {

  private final RangeSource source;
  private final Digest blob;
  private final Set<Repository> holders;
  private final List<Long> offsets = new ArrayList<>();

  public BlobReads(RangeSource source, Digest blob, Set<Repository> holders) {
    this.source = source;
    this.blob = blob;
    this.holders = holders;
  }

  /**
   * Reads {@code length} bytes, with one request.
   *
   * @throws sluice.core.FetchException if no repository gives them
   */
  public byte[] read(long offset, int length) throws IOException, InterruptedException {
    byte[] bytes = new byte[length];
    offsets.add(offset);
    source.read(blob, holders, offset, ByteBuffer.wrap(bytes), Lane.DEMAND);
    return bytes;
  }

  /** Says that what was read is not what its digest says, so that others are asked next time. */
  void reject() {
    offsets.forEach(offset -> source.rejected(blob, holders, offset));
  }
}

package sluice.formats.toc;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import sluice.core.Digest;
import sluice.core.FetchException;
import sluice.core.Lane;
import sluice.core.RangeSource;
import sluice.core.Repository;

/** One blob in memory, of which the first answers may be wrong. For one thread. */
public final class FlakySource implements RangeSource {

  private final byte[] blob;
  private final int wrongAnswers;

  /** The ranges asked for, as {@code OFFSET+LENGTH}. */
  public final List<String> asked = new ArrayList<>();

  /** The offsets of what was rejected. */
  public final List<Long> rejected = new ArrayList<>();

  /**
   * @param wrongAnswers how many answers, from the first on, have a wrong bit in their last third
   */
  public FlakySource(byte[] blob, int wrongAnswers) {
    this.blob = blob.clone();
    this.wrongAnswers = wrongAnswers;
  }

  @Override
  public void read(Digest digest, Set<Repository> holders, long offset, ByteBuffer into, Lane lane)
      throws IOException {
    asked.add(offset + "+" + into.remaining());
    if (offset < 0 || offset + into.remaining() > blob.length) {
      throw new FetchException("behind the blob", FetchException.Reason.PROTOCOL, 416, null);
    }
    int wrong = into.position() + into.remaining() * 2 / 3;
    into.put(blob, (int) offset, into.remaining());
    if (asked.size() <= wrongAnswers) {
      into.put(wrong, (byte) (into.get(wrong) ^ 1));
    }
  }

  @Override
  public InputStream open(Digest digest, Set<Repository> holders, Lane lane) {
    throw new AssertionError("a TOC is a range");
  }

  @Override
  public void rejected(Digest digest, Set<Repository> holders, long offset) {
    rejected.add(offset);
  }
}

package sluice.formats.testing;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import sluice.core.Digest;
import sluice.core.Lane;
import sluice.core.RangeSource;
import sluice.core.Repository;

/** Two holders of which the first gives a wrong byte in every stream; told so, it is asked last. */
public final class SpoiledOnce implements RangeSource {

  private final RangeSource right;
  private final List<Digest> rejected = new ArrayList<>();

  public SpoiledOnce(RangeSource right) {
    this.right = right;
  }

  /** What was said to be wrong. */
  public List<Digest> rejected() {
    return List.copyOf(rejected);
  }

  @Override
  public void read(Digest blob, Set<Repository> holders, long offset, ByteBuffer into, Lane lane)
      throws IOException, InterruptedException {
    right.read(blob, holders, offset, into, lane);
  }

  @Override
  public InputStream open(Digest blob, Set<Repository> holders, Lane lane)
      throws IOException, InterruptedException {
    if (rejected.contains(blob)) {
      return right.open(blob, holders, lane);
    }
    try (InputStream stream = right.open(blob, holders, lane)) {
      byte[] bytes = stream.readAllBytes();
      bytes[bytes.length / 2] ^= 1;
      return new ByteArrayInputStream(bytes);
    }
  }

  @Override
  public void rejected(Digest blob, Set<Repository> holders, long offset) {
    rejected.add(blob);
  }
}

package sluice.erofs;

import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;
import sluice.core.Bytes;
import sluice.core.CorruptException;

/**
 * Goes through one layer's entries of a directory, a batch at a time, without {@code .} and {@code
 * ..}. Names must rise, so none comes twice.
 */
final class DirectoryCursor {

  private static final int BATCH = 256;

  record Entry(Bytes name, long nid) {}

  final int layer;
  private final MetadataImage image;
  private final Inode directory;
  private final Deque<Entry> batch = new ArrayDeque<>();
  private long cookie;
  private boolean ended;
  private @Nullable Bytes last;

  DirectoryCursor(int layer, MetadataImage image, Inode directory) {
    this.layer = layer;
    this.image = image;
    this.directory = directory;
  }

  /** The entry at hand; null at the end. */
  @Nullable Entry peek() throws CorruptException {
    while (batch.isEmpty() && !ended) {
      fill();
    }
    return batch.peek();
  }

  void advance() {
    batch.remove();
  }

  private void fill() throws CorruptException {
    boolean[] stopped = {false};
    image.list(
        directory,
        cookie,
        (next, nid, type, name) -> {
          if (last != null && last.compareTo(name) >= 0) {
            throw new CorruptException(
                "directory %d: \"%s\" after \"%s\"".formatted(directory.nid(), name, last),
                image.toString(),
                -1);
          }
          last = name;
          cookie = next;
          if (!TreePath.isDot(name) && !TreePath.isDotDot(name)) {
            batch.add(new Entry(name, nid));
          }
          stopped[0] = batch.size() >= BATCH;
          return !stopped[0];
        });
    ended = !stopped[0];
  }
}

package sluice.formats.rafs;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import sluice.core.Chunk;
import sluice.core.Placement;

/**
 * One chunk for each run of RAFS chunks that lie in one context. nydus goes through the layer once
 * and never back to a context, so there is one run of each; if there were more, each would be
 * fetched for itself.
 */
final class ZranRuns implements Iterator<Chunk> {

  /** A tar spends at least 1 KiB on each file, so no context of nydus has more chunks. */
  static final int MAX_RUN = ZranTable.MAX_CONTEXT_BYTES / 1024;

  private final BlobChunks chunks;
  private final ZranTable table;
  private int next;

  /**
   * @param chunks all of them checked by {@code table}
   */
  ZranRuns(BlobChunks chunks, ZranTable table) {
    this.chunks = chunks;
    this.table = table;
  }

  @Override
  public boolean hasNext() {
    return next < chunks.count();
  }

  @Override
  public Chunk next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    int number = table.place(chunks.entry(next)).context();
    List<Placement> placements = new ArrayList<>();
    while (hasNext() && placements.size() < MAX_RUN) {
      ChunkEntry entry = chunks.entry(next);
      ZranTable.Place place = table.place(entry);
      if (place.context() != number) {
        break;
      }
      placements.add(chunks.placement(entry, place.decodedOffset()));
      next++;
    }
    ZranContext context = table.context(number);
    return new Chunk(
        context.encoded(), context.encoding(), context.decodedBytes(), null, placements);
  }
}

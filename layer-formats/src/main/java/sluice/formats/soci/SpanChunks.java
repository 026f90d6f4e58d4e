package sluice.formats.soci;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import sluice.core.ByteRange;
import sluice.core.Chunk;
import sluice.core.Digest;
import sluice.core.Placement;

/**
 * The chunks of a device: each span that holds data of files. Its placements are those of all files
 * in it, or of the parts in it; what lies between them in the tar stream are headers. Made as it is
 * iterated.
 */
record SpanChunks(Spans spans, List<Digest> digests, FileRuns files, SpanStatements statements)
    implements Iterable<Chunk> {

  @Override
  public Iterator<Chunk> iterator() {
    return new SpanIterator();
  }

  private final class SpanIterator implements Iterator<Chunk> {
    private int span;

    /** The first file of the next span. */
    private int file;

    @Override
    public boolean hasNext() {
      while (span < spans.count()) {
        ByteRange decoded = spans.decoded(span);
        while (file < files.count() && files.tarEnd(file) <= decoded.offset()) {
          file++;
        }
        if (file < files.count() && files.tarOffset(file) < decoded.end()) {
          return true;
        }
        span++;
      }
      return false;
    }

    @Override
    public Chunk next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      ByteRange decoded = spans.decoded(span);
      List<Placement> placements = new ArrayList<>();
      for (int each = file; each < files.count() && files.tarOffset(each) < decoded.end(); each++) {
        long from = Math.max(files.tarOffset(each), decoded.offset());
        long to = Math.min(files.tarEnd(each), decoded.end());
        placements.add(
            new Placement(
                from - decoded.offset(),
                to - from,
                files.deviceOffset(each) + from - files.tarOffset(each),
                null));
      }
      Chunk chunk =
          new Chunk(
              spans.encoded(span),
              spans.encoding(span),
              decoded.length(),
              digests.get(span),
              placements,
              statements.of(span));
      span++;
      return chunk;
    }
  }
}

package sluice.formats.tar;

import java.nio.ByteBuffer;
import sluice.core.CorruptException;
import sluice.core.StatementCheck;
import sluice.formats.statement.EntryStatement;
import sluice.formats.statement.StatementReader;
import sluice.formats.statement.StatementReader.Stated;

/**
 * Compares the tar headers in a decoded chunk with what an index states of them. Between the data
 * of one entry and that of the next there must be the headers that are stated, and nothing else:
 * neither an entry that the index leaves out, nor one that the tar stream does not have.
 */
public final class HeaderCheck implements StatementCheck {

  @Override
  public void check(ByteBuffer statement, ByteBuffer decoded, String resource)
      throws CorruptException {
    StatementReader stated = StatementReader.open(statement, resource);
    HeaderBytes tar = new HeaderBytes(decoded.slice(), stated.tarOffset(), resource);
    long at = stated.firstHeaders();
    Stated next;
    while ((next = stated.next()) != null) {
      if (next.headerBytes() > tar.length() - at) {
        throw stated.broken(
            "%d bytes of headers at %d of %d".formatted(next.headerBytes(), at, tar.length()));
      }
      compare(next, tar, (int) at);
      long end = at + next.headerBytes();
      long size = next.entry().size();
      at = end + size + (-size & (TarLimits.BLOCK_BYTES - 1));
      if (at < end) {
        throw stated.broken("%d bytes of data".formatted(size));
      }
    }
    long zeros = stated.zeroBytes();
    if (zeros > 0 && zeros > tar.length() - at) {
      throw stated.broken("%d zeros at %d of %d".formatted(zeros, at, tar.length()));
    }
    if (zeros > 0 && !tar.isZero((int) at, (int) zeros)) {
      throw tar.corrupt(
          "the index has no entry behind this, but %d bytes that are not zeros follow"
              .formatted(zeros),
          at);
    }
  }

  private static void compare(Stated stated, HeaderBytes tar, int at) throws CorruptException {
    EntryStatement entry = stated.entry();
    int length = Math.toIntExact(stated.headerBytes());
    String difference;
    try {
      EntryHeaders found = tar.headers(at, length);
      difference =
          found.sparse()
              ? "it is a sparse file, the index does not say so"
              : entry.difference(EntryStatement.of(found.layerEntry()));
    } catch (CorruptException | IllegalArgumentException e) {
      CorruptException corrupt = wrong(entry, String.valueOf(e.getMessage()), tar, at);
      corrupt.initCause(e);
      throw corrupt;
    }
    if (!difference.isEmpty()) {
      throw wrong(entry, difference, tar, at);
    }
  }

  private static CorruptException wrong(
      EntryStatement stated, String problem, HeaderBytes tar, long at) {
    return tar.corrupt(
        "the headers are not those of \"%s\", which the index has here: %s"
            .formatted(EntryStatement.quoted(stated.name()), problem),
        at);
  }
}

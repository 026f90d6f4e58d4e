package sluice.formats.soci;

import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import sluice.core.ByteRange;
import sluice.formats.entry.LayerEntry;
import sluice.formats.statement.EntryStatement;
import sluice.formats.statement.StatementWriter;

/**
 * States of each span which tar headers lie whole in it: a layer may have a million, so they are
 * written into a file as they come, by rising offset, and mapped. Headers that lie in two spans are
 * left out, as each span is decoded by itself. For one thread.
 */
final class StatementFile implements Closeable {

  /** Two blocks of zeros, as far as the tar stream has them. */
  private static final int END_MARK_BYTES = 1024;

  private final Spans spans;
  private final FileChannel file;
  private final BufferedOutputStream out;
  private final StatementWriter statements;
  private final long[] ends;

  /** The span that is written, and whether something was stated of it yet. */
  private int span;

  private boolean begun;

  private StatementFile(Spans spans, FileChannel file) {
    this.spans = spans;
    this.file = file;
    this.out = new BufferedOutputStream(Channels.newOutputStream(file));
    this.statements = new StatementWriter(out);
    this.ends = new long[spans.count()];
  }

  /**
   * Begins a file.
   *
   * @param scratch is not there, and is deleted when the result is closed
   */
  static StatementFile create(Spans spans, Path scratch) throws IOException {
    FileChannel file =
        FileChannel.open(
            scratch,
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE,
            StandardOpenOption.DELETE_ON_CLOSE);
    return new StatementFile(spans, file);
  }

  /**
   * Adds the next entry.
   *
   * @param tar where all its headers lie in the tar stream
   */
  void add(ByteRange tar, LayerEntry entry) throws IOException {
    if (reach(tar.offset()) && tar.end() <= spans.decoded(span).end()) {
      begin(tar.offset());
      statements.entry(tar.length(), EntryStatement.of(entry));
    }
  }

  /**
   * Ends the file.
   *
   * @param entriesEnd where the last entry ends in the tar stream
   * @param tarBytes length of the tar stream
   * @return all statements, which stay until nobody refers to them
   */
  SpanStatements finish(long entriesEnd, long tarBytes) throws IOException {
    if (reach(entriesEnd)) {
      long markEnd = Math.min(Math.min(entriesEnd + END_MARK_BYTES, tarBytes), spanEnd());
      if (markEnd > entriesEnd) {
        begin(entriesEnd);
        end(markEnd - entriesEnd);
      }
    }
    while (span < spans.count()) {
      end(0);
      span++;
    }
    out.flush();
    long length = statements.position();
    return length == 0 ? SpanStatements.NONE : new SpanStatements(map(length), ends);
  }

  private MemorySegment map(long length) throws IOException {
    return file.map(FileChannel.MapMode.READ_ONLY, 0, length, Arena.ofAuto());
  }

  /** Goes on to the span that holds a byte; false if there is none. */
  private boolean reach(long tarOffset) throws IOException {
    while (span < spans.count() && spanEnd() <= tarOffset) {
      end(0);
      span++;
    }
    return span < spans.count();
  }

  private long spanEnd() {
    return spans.decoded(span).end();
  }

  private void begin(long headersAt) throws IOException {
    if (!begun) {
      long from = spans.decoded(span).offset();
      statements.begin(from, headersAt - from);
      begun = true;
    }
  }

  private void end(long zeroBytes) throws IOException {
    if (begun) {
      statements.end(zeroBytes);
      begun = false;
    }
    ends[span] = statements.position();
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}

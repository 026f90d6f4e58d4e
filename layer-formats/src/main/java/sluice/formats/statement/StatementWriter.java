package sluice.formats.statement;

import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.Map;
import sluice.core.Bytes;
import sluice.formats.entry.EntryType;
import sluice.formats.entry.EntryType.Known;

/**
 * Writes statements one behind the other, as {@link StatementReader} reads them. For one thread.
 *
 * <pre>
 * statement := form number number entry* end
 *   form      u8, 1
 *   number    where in the tar stream the chunk begins
 *   number    where in the chunk the headers of the first entry begin
 * entry     := more headers type name size mode uid gid mtime nanos link major minor xattrs
 *   more      u8, 1
 *   headers   number, length of all headers of the entry
 *   type      u8, 0 what is not known; 1 file, 2 hard link, 3 symlink, 4 character, 5 block,
 *             6 directory, 7 FIFO
 *   name      number of bytes that it shares with the name before it, then text
 *   link      text; major and minor are signed, as is mtime
 *   xattrs    number of them, then name and value of each
 * end       := u8 0, and as a number how many zeros follow the last entry
 * number    := LEB128, unsigned; a signed one as zigzag
 * text      := number of bytes, bytes
 * </pre>
 *
 * <p>Entries lie one behind the other in the chunk, each behind the data of the one before it, up
 * to a whole block.
 */
public final class StatementWriter {

  static final int FORM = 1;
  static final int MORE = 1;
  static final int END = 0;

  /** By their codes, from 1 on. */
  static final List<Known> TYPES =
      List.of(
          Known.FILE,
          Known.HARD_LINK,
          Known.SYMLINK,
          Known.CHARACTER,
          Known.BLOCK,
          Known.DIRECTORY,
          Known.FIFO);

  private static final int LOW_BITS = 0x7f;
  private static final int CONTINUED = 0x80;

  private final OutputStream out;
  private Bytes lastName = Bytes.EMPTY;
  private long position;

  /**
   * @param out gets the statements; buffered, and left open
   */
  public StatementWriter(OutputStream out) {
    this.out = out;
  }

  /** How many bytes were written. */
  public long position() {
    return position;
  }

  /**
   * Begins a statement.
   *
   * @param tarOffset where in the tar stream the chunk begins
   * @param firstHeaders where in the chunk the first headers begin
   */
  public void begin(long tarOffset, long firstHeaders) throws IOException {
    lastName = Bytes.EMPTY;
    put(FORM);
    number(tarOffset);
    number(firstHeaders);
  }

  /**
   * Adds the next entry.
   *
   * @param headerBytes length of all its headers
   */
  public void entry(long headerBytes, EntryStatement entry) throws IOException {
    put(MORE);
    number(headerBytes);
    put(code(entry.type()));
    int shared = shared(lastName, entry.name());
    number(shared);
    text(entry.name().slice(shared, entry.name().length()));
    lastName = entry.name();
    number(entry.size());
    number(entry.mode());
    number(entry.uid());
    number(entry.gid());
    signed(entry.mtime());
    number(entry.nanos());
    text(entry.linkName());
    signed(entry.devMajor());
    signed(entry.devMinor());
    number(entry.xattrs().size());
    for (Map.Entry<Bytes, Bytes> xattr : entry.xattrs().entrySet()) {
      text(xattr.getKey());
      text(xattr.getValue());
    }
  }

  /**
   * Ends a statement.
   *
   * @param zeroBytes how many zeros follow the last entry in the chunk
   */
  public void end(long zeroBytes) throws IOException {
    put(END);
    number(zeroBytes);
  }

  private static int code(EntryType type) {
    return switch (type) {
      case Known known -> 1 + TYPES.indexOf(known);
      case EntryType.Unknown _ -> 0;
    };
  }

  private static int shared(Bytes one, Bytes other) {
    int length = Math.min(one.length(), other.length());
    for (int i = 0; i < length; i++) {
      if (one.at(i) != other.at(i)) {
        return i;
      }
    }
    return length;
  }

  private void text(Bytes text) throws IOException {
    number(text.length());
    byte[] bytes = text.toArray();
    out.write(bytes);
    position += bytes.length;
  }

  private void signed(long value) throws IOException {
    number(value << 1 ^ value >> 63);
  }

  private void number(long value) throws IOException {
    long left = value;
    while ((left & ~LOW_BITS) != 0) {
      put((int) (left & LOW_BITS) | CONTINUED);
      left >>>= 7;
    }
    put((int) left);
  }

  private void put(int value) throws IOException {
    out.write(value);
    position++;
  }
}

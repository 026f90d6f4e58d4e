package sluice.formats.statement;

import java.nio.ByteBuffer;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import sluice.core.Bytes;
import sluice.core.CorruptException;
import sluice.formats.entry.EntryType;

/** Reads what {@link StatementWriter} wrote of one chunk. For one thread. */
public final class StatementReader {

  private static final int MAX_NANOS = 999_999_999;
  private static final int NUMBER_BITS = 7;
  private static final int LOW_BITS = 0x7f;

  private final ByteBuffer in;
  private final String resource;
  private final long tarOffset;
  private final long firstHeaders;
  private Bytes lastName = Bytes.EMPTY;

  private StatementReader(ByteBuffer in, String resource, long tarOffset, long firstHeaders) {
    this.in = in;
    this.resource = resource;
    this.tarOffset = tarOffset;
    this.firstHeaders = firstHeaders;
  }

  /** What is stated of an entry whose headers have that length in all. */
  public record Stated(long headerBytes, EntryStatement entry) {}

  /**
   * Begins to read a statement.
   *
   * @param resource names what it is about in errors
   * @throws CorruptException if it is none
   */
  public static StatementReader open(ByteBuffer statement, String resource)
      throws CorruptException {
    StatementReader header = new StatementReader(statement.slice(), resource, 0, 0);
    int form = header.octet();
    if (form != StatementWriter.FORM) {
      throw header.broken("of form %d, %d expected".formatted(form, StatementWriter.FORM));
    }
    long tarOffset = header.number();
    return new StatementReader(header.in, resource, tarOffset, header.number());
  }

  /** Where in the tar stream the chunk begins. */
  public long tarOffset() {
    return tarOffset;
  }

  /** Where in the chunk the headers of the first entry begin. */
  public long firstHeaders() {
    return firstHeaders;
  }

  /**
   * The next entry.
   *
   * @return null after the last one; {@link #zeroBytes} is next then
   */
  public @Nullable Stated next() throws CorruptException {
    int more = octet();
    if (more == StatementWriter.END) {
      return null;
    }
    if (more != StatementWriter.MORE) {
      throw broken("%d where an entry or the end is".formatted(more));
    }
    long headerBytes = number();
    EntryType type = type();
    Bytes name = name();
    long size = number();
    long mode = number();
    long uid = number();
    long gid = number();
    long mtime = signed();
    int nanos = nanos();
    Bytes linkName = text();
    long devMajor = signed();
    long devMinor = signed();
    return new Stated(
        headerBytes,
        new EntryStatement(
            type, name, linkName, size, mode, uid, gid, mtime, nanos, devMajor, devMinor,
            xattrs()));
  }

  /** How many zeros follow the last entry in the chunk. */
  public long zeroBytes() throws CorruptException {
    return number();
  }

  /** An error in the statement itself. */
  public CorruptException broken(String problem) {
    return new CorruptException("statement: " + problem, resource, in.position());
  }

  private EntryType type() throws CorruptException {
    int code = octet();
    if (code > StatementWriter.TYPES.size()) {
      throw broken("type %d".formatted(code));
    }
    return code == 0 ? EntryStatement.UNKNOWN : StatementWriter.TYPES.get(code - 1);
  }

  private int nanos() throws CorruptException {
    long nanos = number();
    if (nanos > MAX_NANOS) {
      throw broken("%d nanoseconds".formatted(nanos));
    }
    return (int) nanos;
  }

  private Bytes name() throws CorruptException {
    long shared = number();
    if (shared > lastName.length()) {
      throw broken("%d bytes of a name of %d".formatted(shared, lastName.length()));
    }
    Bytes rest = text();
    byte[] name = new byte[(int) shared + rest.length()];
    lastName.asBuffer().get(name, 0, (int) shared);
    rest.asBuffer().get(name, (int) shared, rest.length());
    lastName = Bytes.of(name);
    return lastName;
  }

  private SortedMap<Bytes, Bytes> xattrs() throws CorruptException {
    SortedMap<Bytes, Bytes> xattrs = new TreeMap<>();
    for (long left = number(); left > 0; left--) {
      Bytes name = text();
      xattrs.put(name, text());
    }
    return xattrs;
  }

  private Bytes text() throws CorruptException {
    long length = number();
    if (length > in.remaining()) {
      throw broken("text of %d bytes, %d are left".formatted(length, in.remaining()));
    }
    byte[] bytes = new byte[(int) length];
    in.get(bytes);
    return Bytes.of(bytes);
  }

  private long signed() throws CorruptException {
    long value = bits();
    return value >>> 1 ^ -(value & 1);
  }

  /** A number of 63 bits. */
  private long number() throws CorruptException {
    long value = bits();
    if (value < 0) {
      throw broken("a number of 64 bits");
    }
    return value;
  }

  private long bits() throws CorruptException {
    long value = 0;
    for (int shift = 0; shift < Long.SIZE; shift += NUMBER_BITS) {
      int octet = octet();
      value |= (long) (octet & LOW_BITS) << shift;
      if (octet <= LOW_BITS) {
        return value;
      }
    }
    throw broken("a number that does not end");
  }

  private int octet() throws CorruptException {
    if (!in.hasRemaining()) {
      throw broken("it ends too early");
    }
    return in.get() & 0xff;
  }
}

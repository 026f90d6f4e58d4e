package sluice.formats.tar;

import sluice.core.Bytes;
import sluice.formats.entry.EntryType;
import sluice.formats.entry.LayerEntry;

/**
 * An entry's own header, and what came before it.
 *
 * @param fields the own header's
 * @param offset where the own header lies in the tar stream
 * @param longName empty if no header of GNU says it
 */
record EntryHeaders(
    TarField fields, long offset, TarHeader own, PaxRecords pax, Bytes longName, Bytes longLink) {

  private static final byte V7_REGULAR = 0;
  private static final byte GNU_SPARSE = 'S';
  private static final String PAX_SPARSE = "GNU.sparse.";

  Bytes name() {
    Bytes name = text("path", own.name());
    return longName.length() > 0 ? longName : name;
  }

  Bytes linkName() {
    Bytes name = text("linkpath", own.linkName());
    return longLink.length() > 0 ? longLink : name;
  }

  Bytes userName() {
    return text("uname", own.userName());
  }

  Bytes groupName() {
    return text("gname", own.groupName());
  }

  /** The typeflag; v7 has none for directories: their names end in a slash. */
  byte type(Bytes name) {
    if (own.type() != V7_REGULAR) {
      return own.type();
    }
    boolean slash = name.length() > 0 && name.at(name.length() - 1) == '/';
    return (byte) (slash ? '5' : '0');
  }

  /**
   * What is said of the size, for whatever type.
   *
   * @throws NumberFormatException if a record is no number; so do the others below
   */
  long statedSize() {
    return pax.number("size", own.size());
  }

  long uid() {
    return pax.number("uid", own.uid());
  }

  long gid() {
    return pax.number("gid", own.gid());
  }

  PaxRecords.Time mtime() {
    return pax.time("mtime", own.mtime());
  }

  /** Whether the entry says that it has holes, in whatever way. */
  boolean sparse() {
    return own.type() == GNU_SPARSE
        || pax.all().keySet().stream().anyMatch(key -> key.startsWith(PAX_SPARSE));
  }

  /**
   * The entry, of which nothing but the headers was read: no sparse file.
   *
   * @throws IllegalArgumentException if a PAX record has a value that such a record cannot have
   */
  LayerEntry layerEntry() {
    PaxRecords.Time mtime = mtime();
    Bytes name = name();
    return new LayerEntry(
        offset,
        entryType(type(name)),
        name,
        linkName(),
        statedSize(),
        own.mode(),
        uid(),
        gid(),
        mtime.seconds(),
        mtime.nanos(),
        own.devMajor(),
        own.devMinor(),
        pax.xattrs());
  }

  /**
   * What a typeflag means.
   *
   * @param typeflag as {@link #type(Bytes)} has it
   */
  static EntryType entryType(byte typeflag) {
    return switch (typeflag) {
      case '0', GNU_SPARSE -> EntryType.Known.FILE;
      case '1' -> EntryType.Known.HARD_LINK;
      case '2' -> EntryType.Known.SYMLINK;
      case '3' -> EntryType.Known.CHARACTER;
      case '4' -> EntryType.Known.BLOCK;
      case '5' -> EntryType.Known.DIRECTORY;
      case '6' -> EntryType.Known.FIFO;
      default -> new EntryType.Unknown("'%c' (%d)".formatted(Math.max(typeflag, ' '), typeflag));
    };
  }

  private Bytes text(String key, Bytes otherwise) {
    Bytes value = pax.value(key);
    return value == null ? otherwise : value;
  }
}

package sluice.formats.statement;

import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import sluice.core.Bytes;
import sluice.formats.entry.EntryType;
import sluice.formats.entry.EntryType.Known;
import sluice.formats.entry.LayerEntry;

/**
 * What a tree shows of one entry, in a form of which there is one only: what the entry's type has
 * no use for is empty or 0.
 *
 * @param type all that are not known are one
 * @param size of the data behind the headers
 * @param mode permissions, set-id and sticky bits; those of a symlink are not shown
 * @param uid unsigned 32 bits
 * @param gid unsigned 32 bits
 * @param nanos 0 to 999,999,999, forward from {@code mtime}
 */
public record EntryStatement(
    EntryType type,
    Bytes name,
    Bytes linkName,
    long size,
    long mode,
    long uid,
    long gid,
    long mtime,
    int nanos,
    long devMajor,
    long devMinor,
    SortedMap<Bytes, Bytes> xattrs) {

  static final EntryType UNKNOWN = new EntryType.Unknown("that is not known");

  /** The most of a text that a message quotes: names of 1 MiB are easily made. */
  private static final int QUOTED_CHARACTERS = 200;

  private static final int MODE_BITS = 07777;
  private static final long ID_MASK = 0xffff_ffffL;

  public EntryStatement {
    xattrs = Collections.unmodifiableSortedMap(new TreeMap<>(xattrs));
  }

  /** A part of an entry, as it was found and as it is stated. */
  private record Part(String name, Object found, Object stated) {}

  /** What is shown of an entry that is no sparse file. */
  public static EntryStatement of(LayerEntry entry) {
    EntryType type =
        switch (entry.type()) {
          case Known known -> known;
          case EntryType.Unknown _ -> UNKNOWN;
        };
    boolean link = type == Known.HARD_LINK || type == Known.SYMLINK;
    boolean device = type == Known.CHARACTER || type == Known.BLOCK;
    return new EntryStatement(
        type,
        entry.name(),
        link ? entry.linkName() : Bytes.EMPTY,
        hasData(type) ? entry.size() : 0,
        type == Known.SYMLINK ? 0 : entry.mode() & MODE_BITS,
        entry.uid() & ID_MASK,
        entry.gid() & ID_MASK,
        entry.mtime(),
        entry.nanos(),
        device ? entry.devMajor() : 0,
        device ? entry.devMinor() : 0,
        entry.xattrs());
  }

  /** Whether data follows the headers of such an entry; others may have a size, and no data. */
  private static boolean hasData(EntryType type) {
    return switch (type) {
      case Known.FILE -> true;
      case EntryType.Unknown _ -> true;
      case Known.HARD_LINK,
          Known.SYMLINK,
          Known.CHARACTER,
          Known.BLOCK,
          Known.DIRECTORY,
          Known.FIFO ->
          false;
    };
  }

  /** The first part in which an entry is not as stated, in words; empty if there is none. */
  public String difference(EntryStatement found) {
    return List.of(
            new Part("name", found.name, name),
            new Part("type", found.type, type),
            new Part("size", found.size, size),
            new Part("mode", Long.toOctalString(found.mode), Long.toOctalString(mode)),
            new Part("owner", found.uid, uid),
            new Part("group", found.gid, gid),
            new Part("time", found.mtime + "s " + found.nanos, mtime + "s " + nanos),
            new Part("link name", found.linkName, linkName),
            new Part("device", found.devMajor + ":" + found.devMinor, devMajor + ":" + devMinor),
            new Part("xattrs", found.xattrs, xattrs))
        .stream()
        .filter(part -> !part.found.equals(part.stated))
        .findFirst()
        .map(part ->
            "its %s is \"%s\", the index says \"%s\""
                .formatted(part.name, quoted(part.found), quoted(part.stated)))
        .orElse("");
  }

  /** A value for a message, or the beginning of it. */
  public static String quoted(Object value) {
    String text = value.toString();
    return text.length() <= QUOTED_CHARACTERS ? text : text.substring(0, QUOTED_CHARACTERS) + "...";
  }
}

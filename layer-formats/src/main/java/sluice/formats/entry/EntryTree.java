package sluice.formats.entry;

import java.io.IOException;
import java.util.SortedMap;
import java.util.TreeMap;
import sluice.core.Bytes;
import sluice.core.CorruptException;
import sluice.erofs.Attributes;
import sluice.erofs.DeviceNumber;
import sluice.erofs.FileContent;
import sluice.erofs.FileType;
import sluice.erofs.LayerTree;
import sluice.formats.entry.EntryType.Known;

/**
 * Puts the entries of a layer into a tree, as containerd's unpack would turn them into files
 * ({@code pkg/archive/tar.go}, {@code applyNaive}). For one thread.
 *
 * <p>Refused as there: types that are not known, names that no file can have, whiteouts of nothing;
 * also more entries than {@link EntryLimits} allow, and more than the tree may grow.
 */
public final class EntryTree {

  private static final Bytes WHITEOUT = Bytes.utf8(".wh.");
  private static final Bytes OPAQUE = Bytes.utf8(".wh..wh..opq");
  private static final Bytes USER_XATTR = Bytes.utf8("user.");

  private static final int MODE_BITS = 07777;
  private static final long ID_MASK = 0xffff_ffffL;

  /** {@code (uid_t) -1} leaves the owner of a new file, which is root. */
  private static final long NO_ID = 0xffff_ffffL;

  private final LayerTree tree;
  private final Problems problems;

  private int entries;

  /** Says where the content of a file lies. */
  @FunctionalInterface
  public interface Content {
    /** Called once for a file that is to be in the tree, before the next entry is added. */
    FileContent get() throws IOException;
  }

  /** Makes the error of a problem, which names the layer and what of it is read. */
  @FunctionalInterface
  public interface Problems {
    /** The error of an entry at {@code offset}. */
    CorruptException corrupt(String problem, long offset);
  }

  public EntryTree(LayerTree tree, Problems problems) {
    this.tree = tree;
    this.problems = problems;
  }

  /**
   * Adds the next entry of the layer. An entry for the root counts only if it is a directory.
   *
   * @param content asked if a file is added
   * @throws CorruptException if no unpack could make a file of it, or the limits are exceeded
   */
  public void add(LayerEntry entry, Content content) throws IOException {
    count(entry);
    Bytes path = path(entry, entry.name());
    if (path.length() == 0) {
      if (entry.type() == Known.DIRECTORY) {
        tree.directory(path, attributes(entry, 0));
      }
      return;
    }
    int slash = lastSlash(path);
    Bytes parent = path.slice(0, Math.max(slash, 0));
    Bytes base = path.slice(slash + 1, path.length());
    if (base.equals(OPAQUE)) {
      tree.opaque(parent);
    } else if (base.startsWith(WHITEOUT)) {
      whiteout(entry, path, slash + 1);
    } else {
      node(entry, path, content);
    }
  }

  private void count(LayerEntry entry) throws CorruptException {
    entries++;
    if (entries > EntryLimits.MAX_ENTRIES) {
      throw wrong(
          entry, "makes %d entries, at most %d".formatted(entries, EntryLimits.MAX_ENTRIES));
    }
  }

  private void whiteout(LayerEntry entry, Bytes path, int baseAt) throws IOException {
    Bytes name = path.slice(baseAt + WHITEOUT.length(), path.length());
    if (name.length() == 0 || name.equals(Bytes.utf8(".")) || name.equals(Bytes.utf8(".."))) {
      throw wrong(entry, "is a whiteout of nothing");
    }
    byte[] hidden = new byte[baseAt + name.length()];
    path.asBuffer().get(hidden, 0, baseAt);
    name.asBuffer().get(hidden, baseAt, name.length());
    tree.whiteout(Bytes.of(hidden));
  }

  private void node(LayerEntry entry, Bytes path, Content content) throws IOException {
    switch (entry.type()) {
      case Known.FILE -> file(entry, path, content);
      case Known.HARD_LINK ->
          tree.hardLink(path, path(entry, entry.linkName()), attributes(entry, 0));
      case Known.SYMLINK -> tree.symlink(path, attributes(entry, 0), target(entry));
      case Known.CHARACTER -> special(entry, path, FileType.CHARACTER, device(entry).encoded());
      case Known.BLOCK -> special(entry, path, FileType.BLOCK, device(entry).encoded());
      case Known.DIRECTORY -> tree.directory(path, attributes(entry, 0));
      case Known.FIFO -> special(entry, path, FileType.FIFO, 0);
      case EntryType.Unknown(String label) ->
          throw wrong(entry, "is of type %s, which no unpack of images knows".formatted(label));
    }
  }

  private void file(LayerEntry entry, Bytes path, Content content) throws IOException {
    if (entry.size() < 0 || entry.size() > EntryLimits.MAX_FILE_BYTES) {
      throw wrong(
          entry, "has %d bytes, at most %d".formatted(entry.size(), EntryLimits.MAX_FILE_BYTES));
    }
    Attributes attributes = attributes(entry, 0);
    tree.file(path, attributes, content.get());
  }

  private void special(LayerEntry entry, Bytes path, FileType type, long rdev) throws IOException {
    tree.special(path, attributes(entry, type.modeBits()), rdev);
  }

  private DeviceNumber device(LayerEntry entry) throws CorruptException {
    try {
      return new DeviceNumber(Math.toIntExact(entry.devMajor()), Math.toIntExact(entry.devMinor()));
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw wrong(
          entry,
          "is device %d:%d, which Linux cannot name".formatted(entry.devMajor(), entry.devMinor()));
    }
  }

  private Bytes target(LayerEntry entry) throws CorruptException {
    Bytes target = entry.linkName();
    if (target.length() == 0 || target.length() > EntryLimits.MAX_PATH_BYTES) {
      throw wrong(
          entry,
          "is a symlink of %d bytes, 1 to %d expected"
              .formatted(target.length(), EntryLimits.MAX_PATH_BYTES));
    }
    return target;
  }

  private Bytes path(LayerEntry entry, Bytes name) throws CorruptException {
    return EntryPath.clean(name, problem -> wrong(entry, problem));
  }

  private Attributes attributes(LayerEntry entry, int typeBits) throws CorruptException {
    int permissions = entry.type() == Known.SYMLINK ? 0777 : (int) entry.mode() & MODE_BITS;
    return new Attributes(
        typeBits | permissions,
        id(entry, "owner", entry.uid()),
        id(entry, "group", entry.gid()),
        entry.mtime(),
        entry.nanos(),
        xattrs(entry));
  }

  /** As chown(2) takes what Go passes it: 32 bits, and -1 for "as it is". */
  private long id(LayerEntry entry, String what, long id) throws CorruptException {
    if (id < Integer.MIN_VALUE || id > ID_MASK) {
      throw wrong(entry, "has %s %d, which has more than 32 bits".formatted(what, id));
    }
    return (id & ID_MASK) == NO_ID ? 0 : id & ID_MASK;
  }

  private SortedMap<Bytes, Bytes> xattrs(LayerEntry entry) throws CorruptException {
    SortedMap<Bytes, Bytes> xattrs = entry.xattrs();
    for (var xattr : xattrs.entrySet()) {
      if (xattr.getKey().length() > EntryLimits.MAX_XATTR_NAME_BYTES
          || xattr.getValue().length() > EntryLimits.MAX_XATTR_VALUE_BYTES) {
        throw wrong(
            entry,
            "has an xattr with a name of %d bytes and a value of %d, at most %d and %d"
                .formatted(
                    xattr.getKey().length(),
                    xattr.getValue().length(),
                    EntryLimits.MAX_XATTR_NAME_BYTES,
                    EntryLimits.MAX_XATTR_VALUE_BYTES));
      }
    }
    if (xattrs.isEmpty() || hasUserXattrs(entry.type())) {
      return xattrs;
    }
    SortedMap<Bytes, Bytes> kept = new TreeMap<>(xattrs);
    kept.keySet().removeIf(name -> name.startsWith(USER_XATTR));
    return kept;
  }

  /** Linux has user.* on files and directories only; unpacking ignores it elsewhere. */
  private static boolean hasUserXattrs(EntryType type) {
    return switch (type) {
      case Known.FILE, Known.HARD_LINK, Known.DIRECTORY -> true;
      case EntryType.Unknown _ -> true;
      case Known.SYMLINK, Known.CHARACTER, Known.BLOCK, Known.FIFO -> false;
    };
  }

  private static int lastSlash(Bytes path) {
    int at = path.length() - 1;
    while (at >= 0 && path.at(at) != '/') {
      at--;
    }
    return at;
  }

  private CorruptException wrong(LayerEntry entry, String problem) {
    return problems.corrupt("entry \"%s\" %s".formatted(entry.name(), problem), entry.offset());
  }
}

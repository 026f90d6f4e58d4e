package sluice.formats.tar;

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
import sluice.erofs.TreePath;

/**
 * Turns the entries of a tar stream into a tree and a device, as containerd's unpack would turn
 * them into files ({@code pkg/archive/tar.go}, {@code applyNaive}). For one thread.
 *
 * <p>Refused as there: contiguous files (type 7) and every type that is not known, names that no
 * file can have, whiteouts of nothing. Beyond it: old GNU sparse files (type S) are taken, which
 * other tools make and containerd does not know.
 */
final class TarUnpack {

  private static final Bytes WHITEOUT = Bytes.utf8(".wh.");
  private static final Bytes OPAQUE = Bytes.utf8(".wh..wh..opq");
  private static final Bytes USER_XATTR = Bytes.utf8("user.");

  private static final int MODE_BITS = 07777;
  private static final long ID_MASK = 0xffff_ffffL;

  /** {@code (uid_t) -1} leaves the owner of a new file, which is root. */
  private static final long NO_ID = 0xffff_ffffL;

  private final TarReader reader;
  private final TarInput input;
  private final LayerTree tree;
  private final DeviceWriter files;

  private int entries;
  private long metadataBytes;

  TarUnpack(TarInput input, LayerTree tree, DeviceWriter files) {
    this.reader = new TarReader(input);
    this.input = input;
    this.tree = tree;
    this.files = files;
  }

  /** Unpacks all entries, and reads the tar stream to its end. */
  void run() throws IOException {
    TarEntry entry;
    while ((entry = reader.next()) != null) {
      count(entry);
      add(entry);
    }
    input.drain();
  }

  private void count(TarEntry entry) throws CorruptException {
    entries++;
    metadataBytes += entry.name().length() + entry.linkName().length();
    for (var xattr : entry.xattrs().entrySet()) {
      metadataBytes += xattr.getKey().length() + xattr.getValue().length();
    }
    if (entries > TarLimits.MAX_ENTRIES || metadataBytes > TarLimits.MAX_METADATA_BYTES) {
      throw wrong(
          entry,
          "makes %d entries with %d bytes of names and xattrs, at most %d and %d"
              .formatted(
                  entries, metadataBytes, TarLimits.MAX_ENTRIES, TarLimits.MAX_METADATA_BYTES));
    }
  }

  private void add(TarEntry entry) throws IOException {
    Bytes path = path(entry, entry.name());
    if (path.length() == 0) {
      if (entry.type() == '5') {
        tree.directory(path, attributes(entry));
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
      node(entry, path);
    }
  }

  private void whiteout(TarEntry entry, Bytes path, int baseAt) throws IOException {
    Bytes name = path.slice(baseAt + WHITEOUT.length(), path.length());
    if (name.length() == 0 || name.equals(Bytes.utf8(".")) || name.equals(Bytes.utf8(".."))) {
      throw wrong(entry, "is a whiteout of nothing");
    }
    byte[] hidden = new byte[baseAt + name.length()];
    path.asBuffer().get(hidden, 0, baseAt);
    name.asBuffer().get(hidden, baseAt, name.length());
    tree.whiteout(Bytes.of(hidden));
  }

  private void node(TarEntry entry, Bytes path) throws IOException {
    switch (entry.type()) {
      case '0', 'S' -> file(entry, path);
      case '1' -> tree.hardLink(path, path(entry, entry.linkName()), attributes(entry));
      case '2' -> tree.symlink(path, attributes(entry), target(entry));
      case '3' -> special(entry, path, FileType.CHARACTER, device(entry).encoded());
      case '4' -> special(entry, path, FileType.BLOCK, device(entry).encoded());
      case '5' -> tree.directory(path, attributes(entry));
      case '6' -> special(entry, path, FileType.FIFO, 0);
      default ->
          throw wrong(
              entry,
              "is of type '%c' (%d), which no unpack of images knows"
                  .formatted(Math.max(entry.type(), ' '), entry.type()));
    }
  }

  private void file(TarEntry entry, Bytes path) throws IOException {
    if (entry.size() > TarLimits.MAX_FILE_BYTES) {
      throw wrong(
          entry, "has %d bytes, at most %d".formatted(entry.size(), TarLimits.MAX_FILE_BYTES));
    }
    Attributes attributes = attributes(entry);
    reader.content(entry, files);
    FileContent content = files.endFile();
    tree.file(path, attributes, content);
  }

  private void special(TarEntry entry, Bytes path, FileType type, long rdev) throws IOException {
    tree.special(path, attributes(entry, type.modeBits()), rdev);
  }

  private DeviceNumber device(TarEntry entry) throws CorruptException {
    try {
      return new DeviceNumber(Math.toIntExact(entry.devMajor()), Math.toIntExact(entry.devMinor()));
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw wrong(
          entry,
          "is device %d:%d, which Linux cannot name".formatted(entry.devMajor(), entry.devMinor()));
    }
  }

  private Bytes target(TarEntry entry) throws CorruptException {
    Bytes target = entry.linkName();
    if (target.length() == 0 || target.length() > TarLimits.MAX_PATH_BYTES) {
      throw wrong(
          entry,
          "is a symlink of %d bytes, 1 to %d expected"
              .formatted(target.length(), TarLimits.MAX_PATH_BYTES));
    }
    return target;
  }

  /** A clean path of which every part can be the name of a file. */
  private Bytes path(TarEntry entry, Bytes name) throws CorruptException {
    Bytes path = TreePath.clean(name).orElseThrow(() -> wrong(entry, "has a NUL in it"));
    if (path.length() > TarLimits.MAX_PATH_BYTES) {
      throw wrong(
          entry, "is %d bytes long, at most %d".formatted(path.length(), TarLimits.MAX_PATH_BYTES));
    }
    int partAt = 0;
    for (int i = 0; i <= path.length(); i++) {
      if (i == path.length() || path.at(i) == '/') {
        if (i - partAt > TarLimits.MAX_NAME_BYTES) {
          throw wrong(
              entry,
              "has a part of %d bytes, at most %d".formatted(i - partAt, TarLimits.MAX_NAME_BYTES));
        }
        partAt = i + 1;
      }
    }
    return path;
  }

  private Attributes attributes(TarEntry entry) throws CorruptException {
    return attributes(entry, 0);
  }

  private Attributes attributes(TarEntry entry, int typeBits) throws CorruptException {
    int permissions = entry.type() == '2' ? 0777 : (int) entry.mode() & MODE_BITS;
    return new Attributes(
        typeBits | permissions,
        id(entry, "owner", entry.uid()),
        id(entry, "group", entry.gid()),
        entry.mtime(),
        entry.nanos(),
        xattrs(entry));
  }

  /** As chown(2) takes what Go passes it: 32 bits, and -1 for "as it is". */
  private long id(TarEntry entry, String what, long id) throws CorruptException {
    if (id < Integer.MIN_VALUE || id > ID_MASK) {
      throw wrong(entry, "has %s %d, which has more than 32 bits".formatted(what, id));
    }
    return (id & ID_MASK) == NO_ID ? 0 : id & ID_MASK;
  }

  private SortedMap<Bytes, Bytes> xattrs(TarEntry entry) throws CorruptException {
    SortedMap<Bytes, Bytes> xattrs = entry.xattrs();
    for (var xattr : xattrs.entrySet()) {
      if (xattr.getKey().length() > TarLimits.MAX_XATTR_NAME_BYTES
          || xattr.getValue().length() > TarLimits.MAX_XATTR_VALUE_BYTES) {
        throw wrong(
            entry,
            "has an xattr with a name of %d bytes and a value of %d, at most %d and %d"
                .formatted(
                    xattr.getKey().length(),
                    xattr.getValue().length(),
                    TarLimits.MAX_XATTR_NAME_BYTES,
                    TarLimits.MAX_XATTR_VALUE_BYTES));
      }
    }
    boolean userAllowed =
        entry.type() != '2' && entry.type() != '3' && entry.type() != '4' && entry.type() != '6';
    if (userAllowed || xattrs.isEmpty()) {
      return xattrs;
    }
    // Linux has user.* on files and directories only; unpacking ignores it elsewhere.
    SortedMap<Bytes, Bytes> kept = new TreeMap<>(xattrs);
    kept.keySet().removeIf(name -> name.startsWith(USER_XATTR));
    return kept;
  }

  private static int lastSlash(Bytes path) {
    int at = path.length() - 1;
    while (at >= 0 && path.at(at) != '/') {
      at--;
    }
    return at;
  }

  private CorruptException wrong(TarEntry entry, String problem) {
    return input.corrupt("entry \"%s\" %s".formatted(entry.name(), problem), entry.offset());
  }
}

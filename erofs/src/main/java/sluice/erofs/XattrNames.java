package sluice.erofs;

import java.io.IOException;
import java.util.Collections;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import sluice.core.Bytes;
import sluice.core.CorruptException;

/**
 * The names of all xattrs of an image, kept in the image itself: whoever serves it can say of a
 * name that no file has it, and need not be asked for each file.
 *
 * <p>They are the value of the first entry of the shared xattrs, a NUL behind each. No inode refers
 * to that entry, and its namespace is one that the kernel does not know, so that no reader of EROFS
 * but ours sees it.
 */
final class XattrNames {

  /** {@code EROFS_XATTR_INDEX_*} begin at 1. */
  private static final int NO_NAMESPACE = 0;

  private static final Bytes NAME = Bytes.utf8("sluice.names");

  /** Real images have a handful of names; one with more does without. */
  private static final int MAX_NAMES = 64;

  private final SortedSet<Bytes> names = new TreeSet<>();
  private boolean tooMany;

  void add(Bytes name) {
    if (!tooMany && names.add(name) && names.size() > MAX_NAMES) {
      tooMany = true;
      names.clear();
    }
  }

  /** Size of the entry; 0 if there is none. */
  int entryBytes() {
    return tooMany ? 0 : entry().totalBytes();
  }

  /** Writes the entry into {@link #entryBytes} zeros. */
  void write(ImageOutput output) throws IOException {
    if (!tooMany) {
      entry().write(output.next(entryBytes()), NAME, value());
    }
  }

  private XattrEntry entry() {
    return new XattrEntry(NAME.length(), NO_NAMESPACE, value().length());
  }

  private Bytes value() {
    byte[] value = new byte[names.stream().mapToInt(name -> name.length() + 1).sum()];
    int at = 0;
    for (Bytes name : names) {
      name.asBuffer().get(value, at, name.length());
      at += name.length() + 1;
    }
    return Bytes.of(value);
  }

  /** Reads them; null if the image does not say. */
  static @Nullable Set<Bytes> read(ImageBytes image, Superblock superblock)
      throws CorruptException {
    long at = superblock.xattrBlock() << superblock.blockBits();
    if (at == 0 || at > image.length() - XattrEntry.BYTES - NAME.length()) {
      return null;
    }
    XattrEntry entry = XattrEntry.read(image, at);
    if (entry.nameIndex() != NO_NAMESPACE
        || entry.nameBytes() != NAME.length()
        || !image.bytes("xattr names", at + XattrEntry.BYTES, NAME.length()).equals(NAME)) {
      return null;
    }
    Bytes value =
        image.bytes("xattr names", at + XattrEntry.BYTES + NAME.length(), entry.valueBytes());
    SortedSet<Bytes> names = new TreeSet<>();
    for (int from = 0; from < value.length(); ) {
      int end = value.indexOf((byte) 0, from);
      if (end < 0) {
        throw image.corrupt("xattr names: the last one has no end", at);
      }
      names.add(value.slice(from, end));
      from = end + 1;
    }
    return Collections.unmodifiableSortedSet(names);
  }
}

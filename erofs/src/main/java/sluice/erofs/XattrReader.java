package sluice.erofs;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import sluice.core.Bytes;
import sluice.core.CorruptException;

/** Finds the xattrs of inodes: their own, and shared ones. Safe for use by many threads. */
final class XattrReader {

  private final ImageBytes image;
  private final Superblock superblock;
  private final List<Bytes> longPrefixes;

  private XattrReader(ImageBytes image, Superblock superblock, List<Bytes> longPrefixes) {
    this.image = image;
    this.superblock = superblock;
    this.longPrefixes = List.copyOf(longPrefixes);
  }

  static XattrReader open(ImageBytes image, Superblock superblock) throws CorruptException {
    return new XattrReader(image, superblock, longPrefixes(image, superblock));
  }

  /**
   * Reads the table of long name prefixes: u16 length, then {@code struct erofs_xattr_long_prefix}
   * (u8 number of the namespace, and what follows it), padded to 4.
   */
  private static List<Bytes> longPrefixes(ImageBytes image, Superblock superblock)
      throws CorruptException {
    List<Bytes> prefixes = new ArrayList<>();
    if ((superblock.featureIncompat() & Superblock.INCOMPAT_XATTR_PREFIXES) == 0) {
      return prefixes;
    }
    long at = superblock.prefixStart() * 4;
    for (int i = 0; i < superblock.prefixCount(); i++) {
      int length = image.u16("long xattr prefix", at);
      if (length == 0 || length > 1 + XattrEntry.MAX_NAME_BYTES) {
        throw image.corrupt("long xattr prefix %d: %d bytes".formatted(i, length), at);
      }
      int base = image.u8("long xattr prefix", at + 2);
      Bytes infix = image.bytes("long xattr prefix", at + 3, length - 1);
      prefixes.add(join(XattrNamespace.ofIndex(base).map(XattrNamespace::prefix), infix));
      at += (2 + length + 3) & ~3;
    }
    return prefixes;
  }

  SortedMap<Bytes, Bytes> all(Inode inode) throws CorruptException {
    if (inode.xattrBytes() == 0) {
      return Collections.emptySortedMap();
    }
    SortedMap<Bytes, Bytes> xattrs = new TreeMap<>();
    for (long at : entries(inode)) {
      XattrEntry entry = XattrEntry.read(image, at);
      Bytes name = name(entry, at);
      if (name != null && !xattrs.containsKey(name)) {
        xattrs.put(name, value(entry, at));
      }
    }
    return Collections.unmodifiableSortedMap(xattrs);
  }

  @Nullable Bytes one(Inode inode, Bytes wanted) throws CorruptException {
    if (inode.xattrBytes() == 0) {
      return null;
    }
    for (long at : entries(inode)) {
      XattrEntry entry = XattrEntry.read(image, at);
      Bytes name = name(entry, at);
      if (name != null && name.equals(wanted)) {
        return value(entry, at);
      }
    }
    return null;
  }

  /** Where the entries of an inode begin, its own first, as the kernel looks them up. */
  private List<Long> entries(Inode inode) throws CorruptException {
    long start = inode.offset(superblock) + inode.headerBytes();
    long end = start + inode.xattrBytes();
    image.require("xattrs of inode", start, inode.xattrBytes());
    int shared = image.u8("xattrs of inode", start + XattrEntry.SHARED_COUNT_AT);
    long own = start + XattrEntry.HEADER_BYTES + (long) shared * Integer.BYTES;
    if (own > end) {
      throw image.corrupt(
          "xattrs of inode %d: %d shared ones in %d bytes"
              .formatted(inode.nid(), shared, inode.xattrBytes()),
          start);
    }
    List<Long> entries = new ArrayList<>();
    long at = own;
    while (at < end) {
      entries.add(at);
      at += XattrEntry.read(image, at).totalBytes();
    }
    if (at > end) {
      throw image.corrupt("xattrs of inode %d: last one is cut".formatted(inode.nid()), end);
    }
    long base = superblock.xattrBlock() << superblock.blockBits();
    for (long id = start + XattrEntry.HEADER_BYTES; id < own; id += Integer.BYTES) {
      entries.add(base + image.u32("shared xattr", id) * XattrEntry.BYTES);
    }
    return entries;
  }

  /** The full name; null if its namespace is one that Linux does not show. */
  private @Nullable Bytes name(XattrEntry entry, long at) throws CorruptException {
    Bytes suffix = image.bytes("xattr name", at + XattrEntry.BYTES, entry.nameBytes());
    if ((entry.nameIndex() & XattrEntry.LONG_PREFIX) == 0) {
      return XattrNamespace.ofIndex(entry.nameIndex())
          .map(namespace -> join(Optional.of(namespace.prefix()), suffix))
          .orElse(null);
    }
    int number = entry.nameIndex() & ~XattrEntry.LONG_PREFIX;
    if (number >= longPrefixes.size()) {
      throw image.corrupt("xattr: long prefix %d of %d".formatted(number, longPrefixes.size()), at);
    }
    Bytes prefix = longPrefixes.get(number);
    return prefix.length() == 0 ? null : join(Optional.of(prefix), suffix);
  }

  private Bytes value(XattrEntry entry, long at) throws CorruptException {
    return image.bytes(
        "xattr value", at + XattrEntry.BYTES + entry.nameBytes(), entry.valueBytes());
  }

  /** Empty if there is no prefix. */
  private static Bytes join(Optional<Bytes> prefix, Bytes rest) {
    if (prefix.isEmpty()) {
      return Bytes.EMPTY;
    }
    byte[] name = new byte[prefix.get().length() + rest.length()];
    prefix.get().asBuffer().get(name, 0, prefix.get().length());
    rest.asBuffer().get(name, prefix.get().length(), rest.length());
    return Bytes.of(name);
  }
}

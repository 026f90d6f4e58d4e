package sluice.erofs;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import sluice.core.Bytes;
import sluice.core.CorruptException;

/**
 * Which xattrs are shared: those that two inodes or more have, and large ones, so that inodes stay
 * near each other. Shared ones lie in one area, behind the {@link XattrNames}, and are known by
 * their place in it, in units of 4 bytes.
 *
 * <p>Repetition is found by 64-bit hashes, so that images with millions of different xattrs need
 * little memory; two xattrs of one hash are shared without need, which does no harm.
 */
final class XattrPlan {

  /** Larger values are always shared. */
  private static final int LARGE_BYTES = 1024;

  /** A hash, in a column that may be half empty and is copied. */
  private static final int HASH_BYTES = 32;

  /** What tells a shared one, without its texts: the key and its number, in a map and a list. */
  private static final int SHARED_BYTES = 120;

  private record Xattr(Bytes name, Bytes value) {}

  /** One inode's xattrs: numbers of shared ones, and those that stand behind the inode. */
  record Area(List<Integer> shared, Map<Bytes, Bytes> own, int bytes) {}

  private static final Area NONE = new Area(List.of(), Map.of(), 0);

  private final TreeSource source;
  private final long[] repeated;
  private final Map<Xattr, Integer> numbers = new HashMap<>();
  private final XattrNames names;
  private final List<Xattr> shared = new ArrayList<>();
  private long sharedBytes;

  private XattrPlan(TreeSource source, long[] repeated, XattrNames names) {
    this.source = source;
    this.repeated = repeated;
    this.names = names;
    this.sharedBytes = names.entryBytes();
  }

  /**
   * @param growth is asked before more is kept
   */
  static XattrPlan of(TreeSource source, LayerTree.Growth growth) throws IOException {
    XattrNames names = new XattrNames();
    XattrPlan plan = new XattrPlan(source, repeatedHashes(source, names, growth), names);
    for (int inode = 0; inode < source.inodes(); inode++) {
      plan.collect(inode, growth);
    }
    return plan;
  }

  private static long[] repeatedHashes(TreeSource source, XattrNames names, LayerTree.Growth growth)
      throws IOException {
    LongColumn column = new LongColumn();
    for (int inode = 0; inode < source.inodes(); inode++) {
      SortedMap<Bytes, Bytes> xattrs = source.xattrs(inode);
      growth.grow((long) HASH_BYTES * xattrs.size());
      xattrs.forEach((name, value) -> {
        column.add(hash(name, value));
        names.add(name);
      });
    }
    long[] hashes = column.toArray();
    Arrays.sort(hashes);
    int kept = 0;
    for (int i = 1; i < hashes.length; i++) {
      if (hashes[i] == hashes[i - 1] && (kept == 0 || hashes[kept - 1] != hashes[i])) {
        hashes[kept++] = hashes[i];
      }
    }
    return Arrays.copyOf(hashes, kept);
  }

  private static long hash(Bytes name, Bytes value) {
    return 0x9e3779b97f4a7c15L * name.hashCode()
        + Long.rotateLeft(0xc2b2ae3d27d4eb4fL * value.hashCode(), 31)
        + value.length();
  }

  private void collect(int inode, LayerTree.Growth growth) throws IOException {
    int count = 0;
    for (Map.Entry<Bytes, Bytes> entry : source.xattrs(inode).entrySet()) {
      if (isShared(entry.getKey(), entry.getValue()) && count++ < XattrEntry.MAX_SHARED) {
        Xattr xattr = new Xattr(entry.getKey(), entry.getValue());
        if (!numbers.containsKey(xattr)) {
          growth.grow((long) SHARED_BYTES + xattr.name.length() + xattr.value.length());
          numbers.put(xattr, (int) (sharedBytes / XattrEntry.BYTES));
          shared.add(xattr);
          sharedBytes += entry(inode, xattr.name, xattr.value).totalBytes();
        }
      }
    }
  }

  private boolean isShared(Bytes name, Bytes value) {
    return value.length() > LARGE_BYTES || Arrays.binarySearch(repeated, hash(name, value)) >= 0;
  }

  /** Size of the area of shared xattrs. */
  long sharedBytes() {
    return sharedBytes;
  }

  /** What stands behind an inode. */
  Area area(int inode) throws CorruptException {
    SortedMap<Bytes, Bytes> xattrs = source.xattrs(inode);
    if (xattrs.isEmpty()) {
      return NONE;
    }
    List<Integer> ids = new ArrayList<>();
    Map<Bytes, Bytes> own = new TreeMap<>();
    int bytes = XattrEntry.HEADER_BYTES;
    for (Map.Entry<Bytes, Bytes> entry : xattrs.entrySet()) {
      Integer number = numbers.get(new Xattr(entry.getKey(), entry.getValue()));
      if (number != null && ids.size() < XattrEntry.MAX_SHARED) {
        ids.add(number);
        bytes += Integer.BYTES;
      } else {
        own.put(entry.getKey(), entry.getValue());
        bytes += entry(inode, entry.getKey(), entry.getValue()).totalBytes();
      }
    }
    if (bytes > XattrEntry.maxAreaBytes()) {
      throw corrupt(inode, "xattrs of %d bytes".formatted(bytes), XattrEntry.maxAreaBytes());
    }
    return new Area(ids, own, bytes);
  }

  void writeShared(ImageOutput output) throws IOException {
    names.write(output);
    for (Xattr xattr : shared) {
      write(output, xattr.name, xattr.value);
    }
  }

  void write(ImageOutput output, Area area) throws IOException {
    if (area.bytes == 0) {
      return;
    }
    var header = output.next(XattrEntry.HEADER_BYTES + area.shared.size() * Integer.BYTES);
    header.set(ValueLayout.JAVA_BYTE, XattrEntry.SHARED_COUNT_AT, (byte) area.shared.size());
    for (int i = 0; i < area.shared.size(); i++) {
      header.set(
          ImageBytes.LE_INT,
          XattrEntry.HEADER_BYTES + (long) i * Integer.BYTES,
          area.shared.get(i));
    }
    for (Map.Entry<Bytes, Bytes> entry : area.own.entrySet()) {
      write(output, entry.getKey(), entry.getValue());
    }
  }

  private void write(ImageOutput output, Bytes name, Bytes value) throws IOException {
    XattrEntry entry = entry(0, name, value);
    Bytes suffix = name.slice(name.length() - entry.nameBytes(), name.length());
    entry.write(output.next(entry.totalBytes()), suffix, value);
  }

  private XattrEntry entry(int inode, Bytes name, Bytes value) throws CorruptException {
    XattrNamespace namespace =
        XattrNamespace.ofName(name)
            .orElseThrow(() -> corrupt(inode, "xattr \"" + name + "\" of no namespace", 0));
    if (name.length() > XattrEntry.MAX_NAME_BYTES) {
      throw corrupt(
          inode, "xattr name of %d bytes".formatted(name.length()), XattrEntry.MAX_NAME_BYTES);
    }
    if (value.length() > XattrEntry.MAX_VALUE_BYTES) {
      throw corrupt(
          inode,
          "xattr \"%s\" of %d bytes".formatted(name, value.length()),
          XattrEntry.MAX_VALUE_BYTES);
    }
    int suffixBytes = name.length() - namespace.prefix().length();
    return new XattrEntry(suffixBytes, namespace.index(), value.length());
  }

  private CorruptException corrupt(int inode, String problem, int limit) {
    return new CorruptException(
        "%s: %s, EROFS holds %d".formatted(Paths.of(source, inode), problem, limit),
        source.resource(),
        -1);
  }
}

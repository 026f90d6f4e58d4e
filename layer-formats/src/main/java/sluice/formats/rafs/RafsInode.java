package sluice.formats.rafs;

import static sluice.formats.rafs.Layout.LE_INT;
import static sluice.formats.rafs.Layout.LE_LONG;
import static sluice.formats.rafs.Layout.LE_SHORT;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import sluice.core.Bytes;
import sluice.erofs.FileType;
import sluice.erofs.Inode;

/**
 * How RAFS stores an inode: {@code struct erofs_inode_extended}, its xattrs behind it ({@code
 * struct erofs_xattr_ibody_header} and entries, none shared), and directories as blocks of {@code
 * struct erofs_dirent}.
 */
final class RafsInode {
  static final int BYTES = 64;

  private static final int FORMAT_EXTENDED = 1;
  private static final int LAYOUT_PLAIN = 0;
  private static final int LAYOUT_INLINE = 2;
  private static final int LAYOUT_CHUNKS = 4;
  private static final int LAYOUT_SHIFT = 1;

  private static final int XATTR_HEADER_BYTES = 12;
  private static final int XATTR_ENTRY_BYTES = 4;
  private static final int MAX_XATTR_BYTES = XATTR_HEADER_BYTES + 4 * (0xffff - 1);

  private static final int DIRENT_BYTES = 12;
  private static final Bytes DOT = Bytes.utf8(".");
  private static final Bytes DOT_DOT = Bytes.utf8("..");

  /** Prefixes that are stored as a number ({@code EROFS_XATTR_INDEX_*}). */
  private static final Map<Bytes, Integer> XATTR_PREFIXES =
      Map.of(
          Bytes.utf8("user."), 1,
          Bytes.utf8("system.posix_acl_access"), 2,
          Bytes.utf8("system.posix_acl_default"), 3,
          Bytes.utf8("trusted."), 4,
          Bytes.utf8("security."), 6);

  private RafsInode() {}

  /** Writes the inode itself, and its xattrs. */
  static void write(MemorySegment image, RafsNode node, long number, int chunkFormat) {
    Inode source = node.source;
    boolean regular = source.type() == FileType.REGULAR;
    int layout = regular ? LAYOUT_CHUNKS : node.inlineBytes > 0 ? LAYOUT_INLINE : LAYOUT_PLAIN;
    long size = regular ? source.sizeBytes() : node.data.length;
    long at = node.offset;
    image.set(LE_SHORT, at, (short) (FORMAT_EXTENDED | layout << LAYOUT_SHIFT));
    image.set(LE_SHORT, at + 2, (short) xattrCount(node.xattrs.length()));
    image.set(LE_SHORT, at + 4, (short) source.mode());
    image.set(LE_LONG, at + 8, size);
    image.set(
        LE_INT,
        at + 16,
        switch (source.type()) {
          case REGULAR -> chunkFormat;
          case CHARACTER, BLOCK -> (int) source.rdev();
          case DIRECTORY, SYMLINK, FIFO, SOCKET -> (int) node.dataBlock;
        });
    image.set(LE_INT, at + 20, (int) number);
    image.set(LE_INT, at + 24, (int) source.uid());
    image.set(LE_INT, at + 28, (int) source.gid());
    // nydus reads the time unsigned, and what it unpacks with one before 1970, tar refuses.
    boolean old = source.mtimeSeconds() < 0;
    image.set(LE_LONG, at + 32, old ? 0 : source.mtimeSeconds());
    image.set(LE_INT, at + 40, old ? 0 : source.mtimeNanos());
    image.set(LE_INT, at + 44, (int) source.nlink());
    byte[] xattrs = node.xattrs.toArray();
    MemorySegment.copy(xattrs, 0, image, ValueLayout.JAVA_BYTE, at + BYTES, xattrs.length);
  }

  private static int xattrCount(int bytes) {
    return bytes == 0 ? 0 : (bytes - XATTR_HEADER_BYTES) / 4 + 1;
  }

  /**
   * Encodes xattrs.
   *
   * @throws IOException if they are too large for the format
   */
  static Bytes xattrs(SortedMap<Bytes, Bytes> xattrs) throws IOException {
    if (xattrs.isEmpty()) {
      return Bytes.EMPTY;
    }
    int length = XATTR_HEADER_BYTES;
    for (Map.Entry<Bytes, Bytes> xattr : xattrs.entrySet()) {
      length += entryBytes(xattr.getKey(), xattr.getValue());
    }
    if (length > MAX_XATTR_BYTES) {
      throw new IOException(
          "RAFS allows %d bytes of xattrs, found %d".formatted(MAX_XATTR_BYTES, length));
    }
    ByteBuffer body = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    int at = XATTR_HEADER_BYTES;
    for (Map.Entry<Bytes, Bytes> xattr : xattrs.entrySet()) {
      Bytes prefix = prefix(xattr.getKey());
      Bytes name = xattr.getKey().slice(prefix.length(), xattr.getKey().length());
      Bytes value = xattr.getValue();
      body.position(at);
      body.put((byte) name.length());
      body.put(XATTR_PREFIXES.getOrDefault(prefix, 0).byteValue());
      body.putShort((short) value.length());
      body.put(name.asBuffer());
      body.put(value.asBuffer());
      at += entryBytes(xattr.getKey(), value);
    }
    return Bytes.of(body.array());
  }

  private static int entryBytes(Bytes name, Bytes value) {
    int bytes = XATTR_ENTRY_BYTES + name.length() - prefix(name).length() + value.length();
    return (int) Layout.roundUp(bytes, XATTR_ENTRY_BYTES);
  }

  private static Bytes prefix(Bytes name) {
    for (Bytes prefix : XATTR_PREFIXES.keySet()) {
      if (name.startsWith(prefix)) {
        return prefix;
      }
    }
    return Bytes.EMPTY;
  }

  /** Length of a directory's blocks, which depends on names alone. */
  static int directoryBytes(RafsNode directory) {
    int blocks = 0;
    int used = 0;
    for (RafsNode.Child entry : entries(directory)) {
      int bytes = DIRENT_BYTES + entry.name().length();
      if (used + bytes > Layout.BLOCK_BYTES) {
        blocks++;
        used = 0;
      }
      used += bytes;
    }
    return blocks * Layout.BLOCK_BYTES + used;
  }

  /** Encodes a directory whose children all have a place. */
  static byte[] directory(RafsNode directory, long metaOffset) {
    ByteBuffer blocks =
        ByteBuffer.allocate(directoryBytes(directory)).order(ByteOrder.LITTLE_ENDIAN);
    List<RafsNode.Child> block = new ArrayList<>();
    int used = 0;
    int start = 0;
    for (RafsNode.Child entry : entries(directory)) {
      int bytes = DIRENT_BYTES + entry.name().length();
      if (used + bytes > Layout.BLOCK_BYTES) {
        directoryBlock(blocks, start, block, metaOffset);
        start += Layout.BLOCK_BYTES;
        block.clear();
        used = 0;
      }
      block.add(entry);
      used += bytes;
    }
    directoryBlock(blocks, start, block, metaOffset);
    return blocks.array();
  }

  private static void directoryBlock(
      ByteBuffer blocks, int start, List<RafsNode.Child> entries, long metaOffset) {
    int nameOffset = entries.size() * DIRENT_BYTES;
    for (int i = 0; i < entries.size(); i++) {
      RafsNode.Child entry = entries.get(i);
      int at = start + i * DIRENT_BYTES;
      blocks.putLong(at, nid(entry.node(), metaOffset));
      blocks.putShort(at + 8, (short) nameOffset);
      blocks.put(at + 10, (byte) entry.node().source.type().direntType());
      blocks.put(start + nameOffset, entry.name().toArray());
      nameOffset += entry.name().length();
    }
  }

  /** Number of an inode: its place in units of 32 bytes. */
  static long nid(RafsNode node, long metaOffset) {
    return (node.offset - metaOffset) / 32;
  }

  /** All entries, sorted as unsigned bytes, dot and dot-dot among them. */
  private static List<RafsNode.Child> entries(RafsNode directory) {
    List<RafsNode.Child> entries = new ArrayList<>(directory.children);
    entries.add(new RafsNode.Child(DOT, directory));
    entries.add(new RafsNode.Child(DOT_DOT, directory.parent.orElse(directory)));
    entries.sort((a, b) -> a.name().compareTo(b.name()));
    return entries;
  }
}

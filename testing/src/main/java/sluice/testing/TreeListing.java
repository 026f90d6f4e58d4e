package sluice.testing;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import sluice.core.Bytes;
import sluice.core.Digest;
import sluice.testing.TreeEntry.DeviceNumber;

/**
 * The tree of a real directory, as system calls show it: names are bytes, times have nanoseconds,
 * every xattr that the caller may see is there. Reads every file with {@code read}, never through a
 * memory map, so it may run in the process that serves the mount.
 */
public final class TreeListing implements Tree {

  /** {@code struct statx} (include/uapi/linux/stat.h), the same on every architecture. */
  private static final int STATX_BYTES = 256;

  private static final int STATX_NLINK = 16;
  private static final int STATX_UID = 20;
  private static final int STATX_GID = 24;
  private static final int STATX_MODE = 28;
  private static final int STATX_INO = 32;
  private static final int STATX_SIZE = 40;
  private static final int STATX_MTIME = 112;
  private static final int STATX_RDEV = 128;
  private static final int STATX_DEV = 136;

  /** {@code struct linux_dirent64}: length of the entry, and where its name begins. */
  private static final int DIRENT_RECLEN = 16;

  private static final int DIRENT_NAME = 19;

  /** Larger than a link target (4095), an xattr value or a list of them (64 KiB) can be. */
  private static final int BUFFER_BYTES = 256 * 1024;

  private final SortedMap<Bytes, TreeEntry> entries;

  private TreeListing(SortedMap<Bytes, TreeEntry> entries) {
    this.entries = entries;
  }

  /** Lists everything below {@code directory}, and the directory itself as the root. */
  public static TreeListing of(Path directory) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      Walk walk = new Walk(Bytes.utf8(directory.toString()), arena);
      walk.visit(Bytes.EMPTY);
      return new TreeListing(Collections.unmodifiableSortedMap(walk.linked()));
    }
  }

  @Override
  public SortedMap<Bytes, TreeEntry> entries() {
    return entries;
  }

  private record InodeKey(int deviceMajor, int deviceMinor, long ino) {}

  /** One walk through a tree. */
  private static final class Walk {
    private final Bytes root;
    private final Arena arena;
    private final MemorySegment buffer;
    private final MemorySegment statx;
    private final SortedMap<Bytes, TreeEntry> entries = new TreeMap<>();
    private final Map<Bytes, InodeKey> inodes = new HashMap<>();

    Walk(Bytes root, Arena arena) {
      this.root = root;
      this.arena = arena;
      this.buffer = arena.allocate(BUFFER_BYTES, 8);
      this.statx = arena.allocate(STATX_BYTES, 8);
    }

    void visit(Bytes path) throws IOException {
      try (Arena names = Arena.ofConfined()) {
        MemorySegment name = cString(names, join(root, path));
        TreeEntry entry = entry(path, name);
        entries.put(path, entry);
        if (entry.type() == FileType.DIR) {
          for (Bytes child : children(name)) {
            visit(join(path, child));
          }
        } else {
          inodes.put(path, inodeKey());
        }
      }
    }

    /** The entries, each with the first of the paths that share its inode. */
    SortedMap<Bytes, TreeEntry> linked() {
      Map<InodeKey, Bytes> first = new HashMap<>();
      entries.replaceAll((path, entry) -> {
        InodeKey inode = inodes.get(path);
        return inode == null ? entry : withSame(entry, first.computeIfAbsent(inode, i -> path));
      });
      return entries;
    }

    private TreeEntry entry(Bytes path, MemorySegment name) throws IOException {
      SortedMap<Bytes, Bytes> xattrs = xattrs(name);
      Linux.statx(name, statx);
      int mode = statx.get(JAVA_SHORT_UNALIGNED, STATX_MODE) & 0xffff;
      FileType type = FileType.ofMode(mode);
      return new TreeEntry(
          type,
          mode & 07777,
          uint(STATX_UID),
          uint(STATX_GID),
          type == FileType.FILE ? statx.get(JAVA_LONG_UNALIGNED, STATX_SIZE) : 0,
          new Timestamp(statx.get(JAVA_LONG_UNALIGNED, STATX_MTIME), (int) uint(STATX_MTIME + 8)),
          type == FileType.LINK ? copy(Linux.readlink(name, buffer)) : null,
          device(type),
          type == FileType.DIR ? 1 : uint(STATX_NLINK),
          path,
          xattrs,
          type == FileType.FILE ? content(name) : null);
    }

    private @Nullable DeviceNumber device(FileType type) {
      return type == FileType.CHAR || type == FileType.BLOCK
          ? new DeviceNumber(uint(STATX_RDEV), uint(STATX_RDEV + 4))
          : null;
    }

    private InodeKey inodeKey() {
      return new InodeKey(
          statx.get(JAVA_INT_UNALIGNED, STATX_DEV),
          statx.get(JAVA_INT_UNALIGNED, STATX_DEV + 4),
          statx.get(JAVA_LONG_UNALIGNED, STATX_INO));
    }

    private long uint(int offset) {
      return Integer.toUnsignedLong(statx.get(JAVA_INT_UNALIGNED, offset));
    }

    private SortedMap<Bytes, Bytes> xattrs(MemorySegment name) throws IOException {
      SortedMap<Bytes, Bytes> xattrs = new TreeMap<>();
      Bytes list = copy(Linux.llistxattr(name, buffer));
      for (int at = 0; at < list.length(); ) {
        int end = list.indexOf((byte) 0, at);
        Bytes xattr = list.slice(at, end);
        xattrs.put(xattr, copy(Linux.lgetxattr(name, cString(arena, xattr), buffer)));
        at = end + 1;
      }
      return xattrs;
    }

    private List<Bytes> children(MemorySegment name) throws IOException {
      List<Bytes> children = new ArrayList<>();
      int fd = Linux.open(name);
      try {
        for (long read; (read = Linux.getdents64(fd, buffer, name)) > 0; ) {
          for (long at = 0; at < read; ) {
            int length = buffer.get(JAVA_SHORT_UNALIGNED, at + DIRENT_RECLEN) & 0xffff;
            Bytes child = cStringAt(at + DIRENT_NAME, at + length);
            if (!child.equals(Bytes.utf8(".")) && !child.equals(Bytes.utf8(".."))) {
              children.add(child);
            }
            at += length;
          }
        }
      } finally {
        Linux.close(fd, name);
      }
      return children;
    }

    private Digest content(MemorySegment name) throws IOException {
      MessageDigest sha256 = Digest.sha256();
      int fd = Linux.open(name);
      try {
        for (long read; (read = Linux.read(fd, buffer, name)) > 0; ) {
          sha256.update(buffer.asSlice(0, read).asByteBuffer());
        }
      } finally {
        Linux.close(fd, name);
      }
      return Digest.of(Digest.Algorithm.SHA256, sha256.digest());
    }

    private Bytes copy(long length) {
      return Bytes.of(buffer.asSlice(0, length).toArray(JAVA_BYTE));
    }

    private Bytes cStringAt(long from, long limit) {
      long end = from;
      while (end < limit && buffer.get(JAVA_BYTE, end) != 0) {
        end++;
      }
      return Bytes.of(buffer.asSlice(from, end - from).toArray(JAVA_BYTE));
    }
  }

  private static TreeEntry withSame(TreeEntry entry, Bytes same) {
    return new TreeEntry(
        entry.type(),
        entry.mode(),
        entry.uid(),
        entry.gid(),
        entry.size(),
        entry.mtime(),
        entry.target(),
        entry.device(),
        entry.nlink(),
        same,
        entry.xattrs(),
        entry.content());
  }

  private static Bytes join(Bytes parent, Bytes child) {
    if (parent.length() == 0 || child.length() == 0) {
      return parent.length() == 0 ? child : parent;
    }
    ByteArrayOutputStream path = new ByteArrayOutputStream();
    path.writeBytes(parent.toArray());
    path.write('/');
    path.writeBytes(child.toArray());
    return Bytes.of(path.toByteArray());
  }

  private static MemorySegment cString(Arena arena, Bytes text) {
    MemorySegment string = arena.allocate(text.length() + 1L);
    MemorySegment.copy(text.toArray(), 0, string, JAVA_BYTE, 0, text.length());
    return string;
  }
}

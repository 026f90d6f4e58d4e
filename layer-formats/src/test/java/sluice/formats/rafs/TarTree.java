package sluice.formats.rafs;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.jspecify.annotations.Nullable;
import sluice.core.Bytes;
import sluice.core.Digest;
import sluice.testing.FileType;
import sluice.testing.Timestamp;
import sluice.testing.Tree;
import sluice.testing.TreeEntry;

/**
 * The tree in a tar that nydus-image wrote: one entry for each name, hard links to the first. Bytes
 * of xattrs that are not UTF-8 become U+FFFD in the library that reads it.
 */
final class TarTree {

  private static final String XATTR = "SCHILY.xattr.";

  private TarTree() {}

  static Tree read(Path file) throws IOException {
    Map<Bytes, Bytes> links = new HashMap<>();
    SortedMap<Bytes, TreeEntry> entries = new TreeMap<>();
    // One char a byte, so that names that are not UTF-8 survive.
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file));
        TarArchiveInputStream tar = new TarArchiveInputStream(in, "ISO-8859-1")) {
      for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
        Bytes path = path(entry.getName());
        if (entry.isLink()) {
          links.put(path, path(entry.getLinkName()));
        } else {
          entries.put(path, entry(path, entry, tar));
        }
      }
    }
    links.forEach((path, target) -> entries.put(path, entries.get(target)));
    return () -> same(entries);
  }

  /** Names the first path of each inode, which is not always the one that has the content. */
  private static SortedMap<Bytes, TreeEntry> same(SortedMap<Bytes, TreeEntry> entries) {
    Map<Bytes, Bytes> first = new HashMap<>();
    SortedMap<Bytes, TreeEntry> named = new TreeMap<>();
    entries.forEach((path, entry) -> {
      Bytes same = first.computeIfAbsent(entry.same(), key -> path);
      named.put(
          path,
          new TreeEntry(
              entry.type(),
              entry.mode(),
              entry.uid(),
              entry.gid(),
              entry.size(),
              entry.mtime(),
              entry.target(),
              entry.device(),
              1,
              same,
              entry.xattrs(),
              entry.content()));
    });
    return named;
  }

  private static TreeEntry entry(Bytes path, TarArchiveEntry entry, InputStream content)
      throws IOException {
    FileType type = type(entry);
    boolean device = type == FileType.CHAR || type == FileType.BLOCK;
    SortedMap<Bytes, Bytes> xattrs = new TreeMap<>();
    entry
        .getExtraPaxHeaders()
        .forEach((key, value) -> {
          if (key.startsWith(XATTR)) {
            xattrs.put(Bytes.utf8(key.substring(XATTR.length())), Bytes.utf8(value));
          }
        });
    return new TreeEntry(
        type,
        entry.getMode() & 07777,
        entry.getLongUserId(),
        entry.getLongGroupId(),
        type == FileType.FILE ? entry.getSize() : 0,
        new Timestamp(entry.getLastModifiedTime().toMillis() / 1000, 0),
        type == FileType.LINK ? bytes(entry.getLinkName()) : null,
        device ? number(entry) : null,
        1,
        path,
        xattrs,
        type == FileType.FILE ? Digest.sha256(content.readAllBytes()) : null);
  }

  private static TreeEntry.@Nullable DeviceNumber number(TarArchiveEntry entry) {
    return new TreeEntry.DeviceNumber(entry.getDevMajor(), entry.getDevMinor());
  }

  private static FileType type(TarArchiveEntry entry) {
    if (entry.isDirectory()) {
      return FileType.DIR;
    }
    if (entry.isSymbolicLink()) {
      return FileType.LINK;
    }
    if (entry.isCharacterDevice()) {
      return FileType.CHAR;
    }
    if (entry.isBlockDevice()) {
      return FileType.BLOCK;
    }
    return entry.isFIFO() ? FileType.FIFO : FileType.FILE;
  }

  private static Bytes path(String name) {
    String path = name.replaceFirst("^(\\./|/)+", "").replaceFirst("/+$", "");
    return path.equals(".") ? Bytes.EMPTY : bytes(path);
  }

  private static Bytes bytes(String text) {
    return Bytes.of(text.getBytes(StandardCharsets.ISO_8859_1));
  }
}

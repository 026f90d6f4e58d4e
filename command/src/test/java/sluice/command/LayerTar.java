package sluice.command;

import java.io.Closeable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;

/**
 * Writes a layer entry by entry, so that directories on the way need no entry of their own. Names
 * are ISO 8859-1: any byte can be said.
 */
final class LayerTar implements Closeable {

  private static final Instant TIME = Instant.ofEpochSecond(1_600_000_000);

  private final TarArchiveOutputStream tar;

  private LayerTar(TarArchiveOutputStream tar) {
    this.tar = tar;
  }

  static LayerTar create(Path file) throws IOException {
    return new LayerTar(
        new TarArchiveOutputStream(
            Files.newOutputStream(file), StandardCharsets.ISO_8859_1.name()));
  }

  /**
   * Adds a directory of owner 7:8.
   *
   * @param xattrs names and values by turns
   */
  LayerTar directory(String path, int mode, String... xattrs) throws IOException {
    TarArchiveEntry entry = entry(path + "/", TarConstants.LF_DIR, mode, xattrs);
    entry.setIds(7, 8);
    return put(entry, new byte[0]);
  }

  /** Adds a file that holds its own path. */
  LayerTar file(String path, String... xattrs) throws IOException {
    byte[] content = path.getBytes(StandardCharsets.ISO_8859_1);
    TarArchiveEntry entry = entry(path, TarConstants.LF_NORMAL, 0644, xattrs);
    entry.setSize(content.length);
    return put(entry, content);
  }

  LayerTar hardLink(String path, String target) throws IOException {
    TarArchiveEntry entry = entry(path, TarConstants.LF_LINK, 0644);
    entry.setLinkName(target);
    return put(entry, new byte[0]);
  }

  /** Hides a name of the layers below. */
  LayerTar whiteout(String directory, String name) throws IOException {
    return put(entry(directory + ".wh." + name, TarConstants.LF_NORMAL, 0644), new byte[0]);
  }

  /** Hides all that the layers below have in a directory. */
  LayerTar opaque(String directory) throws IOException {
    return put(entry(directory + "/.wh..wh..opq", TarConstants.LF_NORMAL, 0644), new byte[0]);
  }

  private static TarArchiveEntry entry(String path, byte type, int mode, String... xattrs) {
    TarArchiveEntry entry = new TarArchiveEntry(path, type);
    entry.setMode(mode);
    entry.setLastModifiedTime(FileTime.from(TIME));
    Map<String, String> records = new HashMap<>();
    for (int i = 0; i < xattrs.length; i += 2) {
      records.put("SCHILY.xattr." + xattrs[i], xattrs[i + 1]);
    }
    records.forEach(entry::addPaxHeader);
    return entry;
  }

  private LayerTar put(TarArchiveEntry entry, byte[] content) throws IOException {
    tar.putArchiveEntry(entry);
    tar.write(content);
    tar.closeArchiveEntry();
    return this;
  }

  @Override
  public void close() throws IOException {
    tar.close();
  }
}

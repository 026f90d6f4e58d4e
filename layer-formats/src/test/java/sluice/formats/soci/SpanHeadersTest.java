package sluice.formats.soci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import sluice.core.Bytes;
import sluice.core.CorruptException;
import sluice.core.LayerIndex;
import sluice.formats.entry.EntryType.Known;
import sluice.formats.testing.PlainDevices;

/** zTOCs that fit their layer's bytes and say something else than its tar headers. */
class SpanHeadersTest {

  private static final int SPAN_BYTES = 1 << 20;

  @TempDir Path directory;

  private static byte[] tar() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (TarArchiveOutputStream tar = new TarArchiveOutputStream(out, "UTF-8")) {
      tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
      tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_POSIX);
      put(tar, new TarArchiveEntry("d/"), 0);
      TarArchiveEntry file = new TarArchiveEntry("d/file");
      file.addPaxHeader("SCHILY.xattr.user.x", "value");
      put(tar, file, 5000);
      put(tar, new TarArchiveEntry("d/empty"), 0);
      put(tar, link("d/symlink", TarConstants.LF_SYMLINK), 0);
      put(tar, link("d/hardlink", TarConstants.LF_LINK), 0);
      TarArchiveEntry device = new TarArchiveEntry("d/device", TarConstants.LF_CHR);
      device.setDevMajor(5);
      device.setDevMinor(1);
      put(tar, device, 0);
      put(tar, new TarArchiveEntry("d/" + "l".repeat(120)), 700);
      put(tar, new TarArchiveEntry("d/.wh.gone"), 0);
      put(tar, new TarArchiveEntry("d/last"), 10);
    }
    return out.toByteArray();
  }

  private static TarArchiveEntry link(String name, byte type) {
    TarArchiveEntry link = new TarArchiveEntry(name, type);
    link.setLinkName("d/file");
    return link;
  }

  private static void put(TarArchiveOutputStream tar, TarArchiveEntry entry, int length)
      throws IOException {
    entry.setSize(length);
    entry.setModTime(1_600_000_000_250L);
    entry.setIds(1000, 5);
    tar.putArchiveEntry(entry);
    tar.write(new byte[length]);
    tar.closeArchiveEntry();
  }

  /** Reads all of a layer by that index, once from a gzip and once from the bare tar. */
  private void readAll(byte[] tar, List<ZtocEntry> entries, boolean gzip) throws Exception {
    MadeLayer layer = gzip ? gzip(tar, entries) : new MadeLayer(tar).plain(SPAN_BYTES, entries);
    PlainDevices devices = new PlainDevices(directory, layer.source());
    LayerIndex index = layer.index(directory.resolve("i"), devices);
    assertThat(directory.resolve("statements")).doesNotExist();
    devices.open(index.devices().getFirst());
  }

  private MadeLayer gzip(byte[] tar, List<ZtocEntry> entries) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(tar);
    }
    return MadeLayer.gzip(tar, out.toByteArray(), entries, directory.resolve("zinfo"));
  }

  private void assertRefused(
      byte[] tar, List<ZtocEntry> entries, boolean gzip, String... messages) {
    assertThatThrownBy(() -> readAll(tar, entries, gzip))
        .isInstanceOf(CorruptException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains(messages))
        .hasMessageContainingAll("tar: ", "the index", "resource=blob sha256:", "offset=");
  }

  /** The entry with one field changed. */
  private static ZtocEntry lie(ZtocEntry entry, String field) {
    TreeMap<String, Bytes> records = new TreeMap<>(entry.records());
    if (field.equals("xattrs")) {
      records.put("SCHILY.xattr.security.capability", Bytes.utf8("all"));
    }
    return new ZtocEntry(
        field.equals("type") ? Known.FIFO : entry.type(),
        entry.dataOffset() + (field.equals("offset") ? 512 : 0),
        entry.size() - (field.equals("size") ? 1 : field.equals("offset") ? 512 : 0),
        field.equals("name") ? Bytes.utf8(entry.name() + "x") : entry.name(),
        field.equals("link") ? Bytes.utf8("d/last") : entry.linkName(),
        field.equals("mode") ? 06755 : entry.mode(),
        entry.uid() + (field.equals("owner") ? 1 : 0),
        entry.gid() + (field.equals("group") ? 1 : 0),
        entry.userName(),
        entry.groupName(),
        entry.mtime() + (field.equals("seconds") ? 1 : 0),
        entry.nanos() + (field.equals("nanos") ? 1 : 0),
        entry.devMajor() + (field.equals("major") ? 1 : 0),
        entry.devMinor() + (field.equals("minor") ? 1 : 0),
        records);
  }

  private static int indexOf(List<ZtocEntry> entries, String name) {
    for (int i = 0; i < entries.size(); i++) {
      if (entries.get(i).name().equals(Bytes.utf8(name))) {
        return i;
      }
    }
    throw new AssertionError("no entry " + name);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void read_honestIndex_agrees(boolean gzip) throws Exception {
    byte[] tar = tar();
    List<ZtocEntry> entries = MadeLayer.entries(tar);
    assertThat(entries).hasSize(9);
    assertThatCode(() -> readAll(tar, entries, gzip)).doesNotThrowAnyException();
  }

  @ParameterizedTest
  @CsvSource({
    "d/file, mode, its mode is \"644\"",
    "d/file, owner, its owner is \"1000\"",
    "d/file, group, its group is \"5\"",
    "d/file, seconds, its time is",
    "d/file, nanos, its time is",
    "d/file, name, its name is \"d/file\"",
    "d/file, size, its size is \"5000\"",
    "d/file, offset, the entry \"d/file\" is here",
    "d/file, xattrs, its xattrs is",
    "d/empty, type, its type is \"FILE\"",
    "d/symlink, link, its link name is \"d/file\"",
    "d/hardlink, link, its link name is \"d/file\"",
    "d/device, major, its device is \"5:1\"",
    "d/device, minor, its device is \"5:1\"",
    "d/.wh.gone, name, its name is \"d/.wh.gone\"",
    "d/, mode, its mode is \"755\"",
  })
  void read_oneFieldLies_isRefused(String name, String field, String message) throws Exception {
    byte[] tar = tar();
    List<ZtocEntry> entries = new ArrayList<>(MadeLayer.entries(tar));
    int at = indexOf(entries, name);
    entries.set(at, lie(entries.get(at), field));
    assertRefused(tar, entries, name.equals("d/file"), message, "which the index has here");
  }

  @ParameterizedTest
  @ValueSource(strings = {"d/", "d/file", "d/empty", "d/hardlink", "d/.wh.gone", "d/last"})
  void read_entryLeftOut_isRefused(String name) throws Exception {
    byte[] tar = tar();
    List<ZtocEntry> entries = new ArrayList<>(MadeLayer.entries(tar));
    entries.remove(indexOf(entries, name));
    assertRefused(tar, entries, true, "the index has");
  }

  @Test
  void read_entriesExchanged_isRefused() throws Exception {
    byte[] tar = tar();
    List<ZtocEntry> entries = new ArrayList<>(MadeLayer.entries(tar));
    int one = indexOf(entries, "d/symlink");
    ZtocEntry first = entries.get(one);
    ZtocEntry second = entries.get(one + 1);
    entries.set(one, at(second, first.dataOffset()));
    entries.set(one + 1, at(first, second.dataOffset()));
    assertRefused(tar, entries, false, "its name is \"d/symlink\"");
  }

  @Test
  void read_entryThatTheLayerHasNot_isRefused() throws Exception {
    byte[] tar = tar();
    List<ZtocEntry> entries = new ArrayList<>(MadeLayer.entries(tar));
    ZtocEntry last = entries.getLast();
    entries.add(at(lie(last, "name"), last.dataOffset() + 1024));
    assertRefused(tar, entries, true, "a block of zeros");
  }

  private static ZtocEntry at(ZtocEntry entry, long dataOffset) {
    return new ZtocEntry(
        entry.type(),
        dataOffset,
        entry.size(),
        entry.name(),
        entry.linkName(),
        entry.mode(),
        entry.uid(),
        entry.gid(),
        entry.userName(),
        entry.groupName(),
        entry.mtime(),
        entry.nanos(),
        entry.devMajor(),
        entry.devMinor(),
        entry.records());
  }

  /** Headers that lie in two spans are not compared, all others are. */
  @ParameterizedTest
  @ValueSource(ints = {512, 700, 4096})
  void read_shortSpans_agree(int spanBytes) throws Exception {
    byte[] tar = tar();
    MadeLayer layer = new MadeLayer(tar).plain(spanBytes, MadeLayer.entries(tar));
    PlainDevices devices = new PlainDevices(directory, layer.source());
    LayerIndex index = layer.index(directory.resolve("i"), devices);
    assertThatCode(() -> devices.open(index.devices().getFirst())).doesNotThrowAnyException();
  }
}

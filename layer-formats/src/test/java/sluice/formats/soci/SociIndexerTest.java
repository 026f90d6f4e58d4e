package sluice.formats.soci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import sluice.core.ByteRange;
import sluice.core.Bytes;
import sluice.core.ChunkEncoding.StreamCompression;
import sluice.core.CorruptException;
import sluice.core.Digest;
import sluice.core.LayerFormat.Recognition;
import sluice.core.LayerIndex;
import sluice.core.LayerIndex.PrefetchHint;
import sluice.erofs.MetadataImageMerge;
import sluice.formats.entry.EntryType;
import sluice.formats.entry.EntryType.Known;
import sluice.formats.soci.ZtocWriter.Blob;
import sluice.formats.tar.TarFormat;
import sluice.formats.testing.ImageTree;
import sluice.formats.testing.PlainDevices;
import sluice.testing.ListingAssert;

/** Layers that no tool made a zTOC of, and zTOCs that are wrong. */
class SociIndexerTest {

  @TempDir Path directory;

  private static byte[] tar() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (TarArchiveOutputStream tar = new TarArchiveOutputStream(out, "UTF-8")) {
      tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
      tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_POSIX);
      put(tar, "d/", new byte[0]);
      put(tar, "d/empty", new byte[0]);
      for (int length : new int[] {1, 511, 512, 513, 4096, 5000, 70_000}) {
        put(tar, "d/" + length, bytes(length));
      }
      put(tar, "d/.wh.gone", bytes(600));
      put(tar, "l".repeat(120), bytes(9));
      TarArchiveEntry link = new TarArchiveEntry("link", TarConstants.LF_LINK);
      link.setLinkName("d/5000");
      tar.putArchiveEntry(link);
      tar.closeArchiveEntry();
    }
    return out.toByteArray();
  }

  private static void put(TarArchiveOutputStream tar, String name, byte[] content)
      throws IOException {
    TarArchiveEntry entry = new TarArchiveEntry(name);
    entry.setSize(content.length);
    entry.setModTime(1_600_000_000_250L);
    entry.addPaxHeader("SCHILY.xattr.user.x", name);
    entry.setIds(70_000, 5);
    tar.putArchiveEntry(entry);
    tar.write(content);
    tar.closeArchiveEntry();
  }

  private static byte[] bytes(int length) {
    byte[] bytes = new byte[length];
    new Random(length).nextBytes(bytes);
    return bytes;
  }

  /** The tree by its zTOC, against the tree of the streamed layer. */
  private void assertAsStreamed(MadeLayer layer) throws Exception {
    PlainDevices devices = new PlainDevices(directory, layer.source());
    Path lazy = directory.resolve("lazy");
    layer.index(lazy, devices);
    Path streamed = directory.resolve("streamed");
    Recognition recognition =
        new TarFormat(layer.source()).recognise(layer.layer(), SociImages.ALL);
    ((Recognition.Tree) recognition).indexer().index(streamed, devices);
    ListingAssert.assertThatTree(tree(lazy, devices)).isTree(tree(streamed, devices));
  }

  private ImageTree tree(Path image, PlainDevices devices) throws IOException {
    Path merged = directory.resolve(image.getFileName() + ".merged");
    MetadataImageMerge.merge(List.of(image), merged);
    return ImageTree.of(merged, devices);
  }

  @ParameterizedTest
  @ValueSource(ints = {512, 700, 4096, 1 << 20})
  void index_plainTar_isAsStreamed(int spanBytes) throws Exception {
    byte[] tar = tar();
    assertAsStreamed(new MadeLayer(tar).plain(spanBytes, MadeLayer.entries(tar)));
  }

  @Test
  void index_severalGzipMembersInOneSpan_isAsStreamed() throws Exception {
    byte[] tar = tar();
    ByteArrayOutputStream members = new ByteArrayOutputStream();
    for (int from = 0; from < tar.length; from += 30_000) {
      try (GZIPOutputStream gzip = new GZIPOutputStream(members)) {
        gzip.write(tar, from, Math.min(30_000, tar.length - from));
      }
    }
    byte[] blob = members.toByteArray();
    assertAsStreamed(MadeLayer.gzip(tar, blob, MadeLayer.entries(tar), directory.resolve("zinfo")));
  }

  @Test
  void index_noData_hasNoDevice() throws Exception {
    MadeLayer layer = new MadeLayer(new byte[1024]).plain(4096, List.of());
    PlainDevices devices = new PlainDevices(directory, layer.source());
    LayerIndex index = layer.index(directory.resolve("i"), devices);
    assertThat(index.devices()).isEmpty();
    assertThat(devices.all()).isEmpty();
    assertThat(layer.asked()).containsExactly(layer.ztoc().digest());
  }

  @Test
  void index_prefetchArtifact_namesRangesInItsOrder() throws Exception {
    byte[] tar = tar();
    MadeLayer layer = new MadeLayer(tar).plain(4096, MadeLayer.entries(tar));
    layer.prefetch(
        "{\"version\":\"1.0\",\"x\":[{}],\"prefetch_spans\":[{\"start_span\":9,\"end_span\":11},"
            + "{\"a\":{},\"start_span\":0,\"end_span\":1}]}");
    PlainDevices devices = new PlainDevices(directory, layer.source());
    LayerIndex index = layer.index(directory.resolve("i"), devices);
    List<ByteRange> ranges = index.hints().stream().map(PrefetchHint::range).toList();
    assertThat(ranges).hasSize(2);
    assertThat(ranges.getFirst().length()).isEqualTo(3 * 4096);
    assertThat(ranges.get(1).offset()).isZero();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[]",
        "{",
        "{\"prefetch_spans\":[{\"start_span\":1,\"end_span\":0}]}",
        "{\"prefetch_spans\":[{\"start_span\":0,\"end_span\":99999}]}",
        "{\"prefetch_spans\":[{\"start_span\":-1,\"end_span\":0}]}",
        "{\"prefetch_spans\":[{\"start_span\":0,\"end_span\":99999999999}]}",
        "{\"prefetch_spans\":[{}]}"
      })
  void index_badPrefetchArtifact_isIgnored(String document) throws Exception {
    byte[] tar = tar();
    MadeLayer layer = new MadeLayer(tar).plain(4096, MadeLayer.entries(tar)).prefetch(document);
    PlainDevices devices = new PlainDevices(directory, layer.source());
    assertThat(layer.index(directory.resolve("i"), devices).hints()).isEmpty();
    assertThatThrownBy(
            () -> PrefetchSpans.read(Bytes.utf8(document).toArray(), spans(), "artifact x"))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("prefetch artifact: ");
  }

  private static Spans spans() {
    return new PlainSpans(4096, 100_000, 100_000);
  }

  private void assertCorrupt(MadeLayer layer, String... messages) {
    PlainDevices devices = new PlainDevices(directory, layer.source());
    assertThatThrownBy(() -> layer.index(directory.resolve("i"), devices))
        .isInstanceOf(CorruptException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains(messages));
    assertThat(devices.all()).isEmpty();
    assertThat(directory.resolve("ztoc")).doesNotExist();
  }

  @Test
  void index_ztocThatIsNotWhatItsDigestSays_isAskedForTwice() throws Exception {
    byte[] tar = tar();
    MadeLayer layer = new MadeLayer(tar).plain(4096, MadeLayer.entries(tar));
    byte[] other = new byte[(int) layer.ztoc().sizeBytes()];
    layer.spoil(other);
    assertCorrupt(layer, "not what their digest says", layer.ztoc().digest().toString());
    assertThat(layer.asked()).hasSize(2);
  }

  @Test
  void index_ztocOfALayerOfAnotherSize_isCorrupt() throws Exception {
    MadeLayer layer =
        new MadeLayer(new byte[2048])
            .ztoc(
                List.of(),
                new Blob(
                    StreamCompression.NONE,
                    1024,
                    1024,
                    List.of(Digest.sha256(new byte[1024])),
                    GzipCheckpoints.plain(4096, 1024)));
    assertCorrupt(layer, "of a layer of 1024 bytes, but this one has 2048", "zTOC sha256:");
  }

  private static ZtocEntry entry(EntryType type, String name, long offset, long size) {
    return entry(type, name, "", offset, size);
  }

  private static ZtocEntry entry(EntryType type, String name, String link, long offset, long size) {
    return new ZtocEntry(
        type,
        offset,
        size,
        Bytes.utf8(name),
        Bytes.utf8(link),
        0644,
        0,
        0,
        Bytes.EMPTY,
        Bytes.EMPTY,
        0,
        0,
        0,
        0,
        new TreeMap<>());
  }

  private void assertCorrupt(List<ZtocEntry> entries, String... messages) throws IOException {
    assertCorrupt(new MadeLayer(new byte[10_240]).plain(4096, entries), messages);
  }

  @Test
  void index_entriesThatCannotLieSo_areCorrupt() throws Exception {
    assertCorrupt(List.of(entry(Known.FILE, "f", 0, 1)), "\"f\" has 1 bytes at 0", "offset=0");
    assertCorrupt(List.of(entry(Known.FILE, "f", 513, 1)), "has 1 bytes at 513");
    assertCorrupt(
        List.of(entry(Known.FILE, "f", 512, 9729)), "9729 bytes at 512 of a tar of 10240");
    assertCorrupt(List.of(entry(Known.FILE, "f", 512, Long.MAX_VALUE)), "of a tar of 10240");
    assertCorrupt(List.of(entry(Known.FILE, "f", 512, -1)), "has -1 bytes");
    assertCorrupt(List.of(entry(Known.FILE, "f", Long.MIN_VALUE, 1)), "has 1 bytes at -9223");
    assertCorrupt(List.of(entry(Known.FILE, "f", 1L << 62, 1)), "of a tar of 10240");
    assertCorrupt(
        List.of(entry(Known.FILE, "f", 512, 600), entry(Known.FILE, "g", 1536, 1)),
        "\"g\" has 1 bytes at 1536",
        "the one before ends at 1536");
    assertCorrupt(
        List.of(entry(Known.FILE, "f", 4096, 1), entry(Known.FILE, "g", 512, 1)),
        "\"g\" has 1 bytes at 512");
  }

  @Test
  void index_entriesThatNoFileCanBe_areCorrupt() throws Exception {
    assertCorrupt(List.of(entry(Known.FILE, "a\0b", 512, 1)), "has a NUL in it");
    assertCorrupt(List.of(entry(Known.FILE, "n".repeat(256), 512, 1)), "a part of 256 bytes");
    assertCorrupt(List.of(entry(Known.SYMLINK, "s", "", 512, 0)), "is a symlink of 0 bytes");
    assertCorrupt(List.of(entry(Known.HARD_LINK, "a", "a", 512, 0)), "itself");
    assertCorrupt(
        List.of(
            entry(Known.SYMLINK, "a", "b", 512, 0),
            entry(Known.SYMLINK, "b", "a", 1024, 0),
            entry(Known.FILE, "a/f", 1536, 0)),
        "symlinks");
    assertCorrupt(List.of(entry(Known.FILE, "d/.wh.", 512, 0)), "is a whiteout of nothing");
  }

  @Test
  void index_namesThatLeadUp_stayInTheTree() throws Exception {
    MadeLayer layer =
        new MadeLayer(new byte[10_240])
            .plain(
                4096,
                List.of(
                    entry(Known.FILE, "../../etc/x", 512, 1),
                    entry(Known.FILE, "/abs", 1536, 1),
                    entry(Known.HARD_LINK, "h2", "h1", 2560, 0),
                    entry(Known.HARD_LINK, "h1", "h2", 3072, 0)));
    PlainDevices devices = new PlainDevices(directory, layer.source());
    Path image = directory.resolve("i");
    layer.index(image, devices);
    assertThatThrownBy(() -> tree(image, devices)).hasMessageContaining("h1");
  }

  @Test
  void index_sparseFile_isNotServedFromAZtoc() throws Exception {
    ZtocEntry whole = entry(Known.FILE, "holes", 512, 1);
    MadeLayer layer = new MadeLayer(new byte[10_240]).plain(4096, List.of(whole));
    TreeMap<String, Bytes> records = new TreeMap<>();
    records.put("GNV.sparse.major", Bytes.utf8("1"));
    List<ZtocEntry> entries = new ArrayList<>();
    entries.add(
        new ZtocEntry(
            Known.FILE,
            512,
            1,
            whole.name(),
            Bytes.EMPTY,
            0,
            0,
            0,
            Bytes.EMPTY,
            Bytes.EMPTY,
            0,
            0,
            0,
            0,
            records));
    layer.plain(4096, entries);
    byte[] bytes = layer.ztocBytes();
    // The writer refuses what another tool writes.
    layer.ztoc(replace(bytes, "GNV.sparse", "GNU.sparse"));
    assertCorrupt(layer, "\"holes\" is a sparse file");
  }

  private static byte[] replace(byte[] bytes, String from, String to) {
    String latin = new String(bytes, StandardCharsets.ISO_8859_1);
    return latin.replace(from, to).getBytes(StandardCharsets.ISO_8859_1);
  }

  @Test
  void index_typeThatNobodyKnows_isCorrupt() throws Exception {
    MadeLayer layer =
        new MadeLayer(new byte[10_240]).plain(4096, List.of(entry(Known.FIFO, "pipe", 512, 0)));
    layer.ztoc(replace(layer.ztocBytes(), "fifo", "door"));
    assertCorrupt(layer, "entry \"pipe\" is of type \"door\"");
  }

  @Test
  void index_timeThatNobodyCanRead_isCorrupt() throws Exception {
    for (String bad :
        new String[] {"1970-13-01T00:00:00Z", "1970-01-01 00:00:00Z", "\0".repeat(20)}) {
      MadeLayer layer =
          new MadeLayer(new byte[10_240]).plain(4096, List.of(entry(Known.FILE, "f", 512, 0)));
      layer.ztoc(replace(layer.ztocBytes(), "1970-01-01T00:00:00Z", bad));
      assertCorrupt(layer, "entry \"f\" has a time");
    }
  }

  @Test
  void open_spanSentThatIsNotWhatItsDigestSays_isNotServed() throws Exception {
    byte[] tar = tar();
    MadeLayer layer = new MadeLayer(tar).plain(4096, MadeLayer.entries(tar));
    PlainDevices devices = new PlainDevices(directory, layer.source());
    LayerIndex index = layer.index(directory.resolve("i"), devices);
    byte[] other = tar.clone();
    other[6000] ^= 1;
    layer.spoilBlob(other);
    assertThatThrownBy(() -> devices.open(index.devices().getFirst()))
        .isInstanceOf(CorruptException.class);
  }
}

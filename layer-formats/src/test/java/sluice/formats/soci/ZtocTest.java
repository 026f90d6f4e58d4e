package sluice.formats.soci;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import sluice.core.ByteRange;
import sluice.core.Bytes;
import sluice.core.Chunk;
import sluice.core.ChunkEncoding.DeflateSpan;
import sluice.core.ChunkEncoding.StreamCompression;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.erofs.LayerTree;
import sluice.formats.entry.EntryLimits;
import sluice.formats.entry.EntryType;
import sluice.formats.soci.ZtocFixtures.Of;

/** The zTOCs of SOCI's own tool, read, decoded by, and written again. */
class ZtocTest {

  @TempDir Path directory;

  static List<Of> fixtures() {
    return ZtocFixtures.all();
  }

  @ParameterizedTest
  @MethodSource("fixtures")
  void open_fixture_saysWhatTheLayerIs(Of of) throws Exception {
    Ztoc ztoc = of.open();
    assertThat(ztoc.version()).isEqualTo("0.9");
    assertThat(ztoc.buildTool()).isEqualTo("AWS SOCI CLI v0.2");
    assertThat(ztoc.compressedBytes()).isEqualTo(of.blob().length);
    assertThat(ztoc.spans().count()).isEqualTo(ztoc.spanDigests().size());
  }

  @ParameterizedTest
  @MethodSource("fixtures")
  void spans_fixture_areWhatTheirDigestsSayAndDecode(Of of) throws Exception {
    Ztoc ztoc = of.open();
    byte[] blob = of.blob();
    byte[] tar = new GZIPInputStream(new ByteArrayInputStream(blob)).readAllBytes();
    ZtocAssert.assertSpansDecode(ztoc, blob, tar);
  }

  @ParameterizedTest
  @MethodSource("fixtures")
  void finish_entriesOfAFixture_giveTheSameZtocInLessRoom(Of of) throws Exception {
    Ztoc ztoc = of.open();
    byte[] written = write(ztoc);
    Ztoc again = Ztoc.open(MemorySegment.ofArray(written), "again");
    assertSame(again, ztoc);
    assertThat(written.length).isLessThanOrEqualTo((int) of.ztoc().sizeBytes());
  }

  @Test
  void finish_saysDigestAndSizeOfWhatItWrote() throws Exception {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    Descriptor descriptor;
    try (ZtocWriter writer = new ZtocWriter("Sluice test")) {
      descriptor = writer.finish(plain(512, 100_000, 4096), Channels.newChannel(out));
    }
    assertThat(descriptor)
        .isEqualTo(
            new Descriptor(
                "application/octet-stream", Digest.sha256(out.toByteArray()), out.size()));
    Ztoc ztoc = Ztoc.open(MemorySegment.ofArray(out.toByteArray()), "empty");
    assertThat(ztoc.entryCount()).isZero();
    assertThat(ztoc.spans()).isEqualTo(new PlainSpans(4096, 100_000, 512));
    assertThat(ztoc.spans().encoded(24)).isEqualTo(new ByteRange(98_304, 1696));
  }

  @Test
  void checkpoints_packedByOldTools_areRead() throws Exception {
    ByteBuffer packed =
        ByteBuffer.allocate(20)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putInt(2)
            .putLong(4096)
            .putLong(9000);
    assertThat(PlainSpans.read(MemorySegment.ofArray(packed.array()), 9000, 9000, "old"))
        .isEqualTo(PlainSpans.read(GzipCheckpoints.plain(4096, 9000), 9000, 9000, "new"));
  }

  @Test
  void add_whatAZtocCanSay_isReadAgain() throws Exception {
    List<ZtocEntry> entries = new ArrayList<>();
    TreeMap<String, Bytes> records = new TreeMap<>();
    records.put("SCHILY.xattr.user.\u00ff", Bytes.of((byte) 0, (byte) 0xff));
    records.put("comment", Bytes.EMPTY);
    for (EntryType.Known type : EntryType.Known.values()) {
      entries.add(
          new ZtocEntry(
              type,
              512,
              1L << 40,
              Bytes.of((byte) 0xff, (byte) 'a'),
              Bytes.utf8("l"),
              07777,
              0xffff_ffffL,
              4_000_000_000L,
              Bytes.utf8("u"),
              Bytes.utf8("g"),
              -3,
              250_000_000,
              4095,
              1048575,
              records));
    }
    entries.add(entry("year 0", -62_167_219_200L));
    entries.add(entry("year 9999", 253_402_300_799L));
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (ZtocWriter writer = new ZtocWriter("t")) {
      for (ZtocEntry entry : entries) {
        writer.add(entry);
      }
      writer.finish(plain(0, 0, 1), Channels.newChannel(out));
    }
    assertThat(ZtocAssert.entries(Ztoc.open(MemorySegment.ofArray(out.toByteArray()), "again")))
        .isEqualTo(entries);
  }

  @Test
  void entry_moreRecordsThanALayerCanSay_isRefused() throws Exception {
    TreeMap<String, Bytes> records = new TreeMap<>();
    for (int i = 0; i < EntryLimits.MAX_XATTRS_BYTES / EntryLimits.XATTR_RECORD_BYTES; i++) {
      records.put(Integer.toString(i), Bytes.EMPTY);
    }
    ZtocEntry plain = entry("many", 0);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (ZtocWriter writer = new ZtocWriter("t")) {
      writer.add(
          new ZtocEntry(
              plain.type(),
              plain.dataOffset(),
              plain.size(),
              plain.name(),
              plain.linkName(),
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
      writer.finish(plain(0, 0, 1), Channels.newChannel(out));
    }
    Ztoc ztoc = Ztoc.open(MemorySegment.ofArray(out.toByteArray()), "layer x");
    assertThatThrownBy(() -> ztoc.entry(0))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("entry \"many\" has records of 10485")
        .hasMessageContaining("at most 1048576 (resource=layer x");
  }

  @Test
  void add_whatAZtocCannotSay_isRefused() {
    TreeMap<String, Bytes> sparse = new TreeMap<>();
    sparse.put("GNU.sparse.major", Bytes.utf8("1"));
    try (ZtocWriter writer = new ZtocWriter("t")) {
      assertThatThrownBy(() -> writer.add(entry("late", 253_402_300_800L)))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("late")
          .hasMessageContaining("253402300800");
      assertThatThrownBy(() ->
              writer.add(
                  new ZtocEntry(
                      EntryType.Known.FILE,
                      0,
                      1,
                      Bytes.utf8("holes"),
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
                      sparse)))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("sparse");
    }
  }

  @Test
  void gzipCheckpoints_areReadAsTheyWereWritten() throws Exception {
    Path file = directory.resolve("zinfo");
    try (FileChannel out =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      GzipCheckpoints checkpoints = new GzipCheckpoints(out, 1 << 20);
      checkpoints.add(18, 0, 0, ByteBuffer.allocate(0));
      checkpoints.add(1000, 100, 3, ByteBuffer.wrap(new byte[] {1, 2, 3}));
      checkpoints.add(3000, 1 << 20, 0, ByteBuffer.allocate(32768));
      checkpoints.finish();
    }
    MemorySegment zinfo = map(file);
    GzipSpans spans = GzipSpans.read(zinfo, 5000, 2 << 20, "zinfo");
    assertThat(spans.count()).isEqualTo(3);
    assertThat(spans.encoded(0)).isEqualTo(new ByteRange(18, 982));
    assertThat(spans.encoded(1)).isEqualTo(new ByteRange(999, 2001));
    assertThat(spans.encoded(2)).isEqualTo(new ByteRange(3000, 2000));
    assertThat(spans.decoded(1)).isEqualTo(new ByteRange(100, (1 << 20) - 100));
    assertThat(((DeflateSpan) spans.encoding(0)).window().length()).isZero();
    ByteRange window = ((DeflateSpan) spans.encoding(1)).window();
    assertThat(zinfo.asSlice(window.end() - 3, 3).toArray(JAVA_BYTE))
        .isEqualTo(new byte[] {1, 2, 3});
  }

  @ParameterizedTest
  @MethodSource("fixtures")
  void gzipSpans_withoutTheFirstCheckpoint_areTheSame(Of of) throws Exception {
    Ztoc ztoc = of.open();
    MemorySegment checkpoints = ztoc.checkpoints();
    long first = GzipSpans.CHECKPOINT_BYTES;
    MemorySegment old = MemorySegment.ofArray(new byte[(int) (checkpoints.byteSize() - first)]);
    old.copyFrom(checkpoints.asSlice(0, GzipSpans.HEADER_BYTES));
    MemorySegment.copy(
        checkpoints,
        GzipSpans.HEADER_BYTES + first,
        old,
        GzipSpans.HEADER_BYTES,
        old.byteSize() - GzipSpans.HEADER_BYTES);
    GzipSpans spans = GzipSpans.read(old, ztoc.compressedBytes(), ztoc.uncompressedBytes(), "old");
    Spans expected = ztoc.spans();
    assertThat(spans.count()).isEqualTo(expected.count());
    for (int span = 0; span < spans.count(); span++) {
      assertThat(spans.encoded(span)).isEqualTo(expected.encoded(span));
      assertThat(spans.decoded(span)).isEqualTo(expected.decoded(span));
      ByteRange window = ((DeflateSpan) spans.encoding(span)).window();
      ByteRange same = ((DeflateSpan) expected.encoding(span)).window();
      assertThat(
              old.asSlice(window.offset(), window.length())
                  .mismatch(checkpoints.asSlice(same.offset(), same.length())))
          .isEqualTo(-1);
    }
  }

  @Test
  void open_truncatedAnywhere_isCorruptOrSaysNoMore() throws Exception {
    byte[] whole = write(smallest().open());
    for (int length = 0; length < whole.length; length += length < 3000 ? 1 : 501) {
      readOrCorrupt(Arrays.copyOf(whole, length));
    }
  }

  @Test
  void open_anyBitFlipped_isReadOrCorrupt() throws Exception {
    byte[] whole = write(smallest().open());
    Random random = new Random(5);
    for (int i = 0; i < 4000; i++) {
      byte[] bad = whole.clone();
      bad[random.nextInt(Math.min(bad.length, 2500))] ^= (byte) (1 << random.nextInt(8));
      readOrCorrupt(bad);
    }
  }

  @Test
  void entry_manyTablesThatAreOne_areBounded() throws Exception {
    byte[] text = new byte[1 << 20];
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (ZtocWriter writer = new ZtocWriter("t")) {
      for (int i = 0; i < 2000; i++) {
        writer.add(
            new ZtocEntry(
                EntryType.Known.FILE,
                0,
                0,
                Bytes.utf8("n"),
                Bytes.of(text),
                0,
                0,
                0,
                Bytes.EMPTY,
                Bytes.EMPTY,
                0,
                0,
                0,
                0,
                new TreeMap<>()));
      }
      writer.finish(plain(0, 0, 1), Channels.newChannel(out));
    }
    assertThat(out.size()).isLessThan(2 << 20);
    Ztoc ztoc = Ztoc.open(MemorySegment.ofArray(out.toByteArray()), "bomb");
    assertThatThrownBy(() -> readAll(ztoc))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("zTOC: leads to more than 1073741824 bytes in all (resource=bomb");
  }

  static void readOrCorrupt(byte[] bytes) throws IOException {
    try {
      Ztoc ztoc = Ztoc.open(MemorySegment.ofArray(bytes), "bad");
      readAll(ztoc);
      FileRuns files = new FileRuns();
      new ZtocTree(ztoc, new LayerTree("bad"), files, (tar, entry) -> {}, "bad").addAll();
      Spans spans = ztoc.spans();
      for (Chunk chunk : new SpanChunks(spans, ztoc.spanDigests(), files, SpanStatements.NONE)) {
        assertThat(chunk.encoded().length()).isLessThanOrEqualTo(Spans.MAX_SPAN_BYTES);
        assertThat(chunk.decodedLength()).isLessThanOrEqualTo(Spans.MAX_SPAN_BYTES);
      }
    } catch (CorruptException e) {
      assertThat(e).hasMessageContaining("resource=bad");
    }
  }

  private static void readAll(Ztoc ztoc) throws CorruptException {
    for (int i = 0; i < ztoc.entryCount(); i++) {
      assertThat(ztoc.entry(i).nanos()).isBetween(0, 999_999_999);
    }
  }

  static Of smallest() {
    return ZtocFixtures.all().stream()
        .min(Comparator.comparingLong(of -> of.ztoc().sizeBytes()))
        .orElseThrow();
  }

  static byte[] write(Ztoc ztoc) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (ZtocWriter writer = new ZtocWriter(ztoc.buildTool())) {
      for (ZtocEntry entry : ZtocAssert.entries(ztoc)) {
        writer.add(entry);
      }
      writer.finish(
          new ZtocWriter.Blob(
              StreamCompression.GZIP,
              ztoc.compressedBytes(),
              ztoc.uncompressedBytes(),
              ztoc.spanDigests(),
              ztoc.checkpoints()),
          Channels.newChannel(out));
    }
    return out.toByteArray();
  }

  private static void assertSame(Ztoc found, Ztoc expected) throws IOException {
    assertThat(found.buildTool()).isEqualTo(expected.buildTool());
    ZtocAssert.assertSameLayer(found, expected);
  }

  private static ZtocEntry entry(String name, long mtime) {
    return new ZtocEntry(
        EntryType.Known.FILE,
        0,
        0,
        Bytes.utf8(name),
        Bytes.EMPTY,
        0,
        0,
        0,
        Bytes.EMPTY,
        Bytes.EMPTY,
        mtime,
        1,
        0,
        0,
        new TreeMap<>());
  }

  private static ZtocWriter.Blob plain(long tarBytes, long blobBytes, long spanBytes) {
    List<Digest> digests = new ArrayList<>();
    for (long at = 0; at < blobBytes; at += spanBytes) {
      digests.add(Digest.sha256(new byte[0]));
    }
    return new ZtocWriter.Blob(
        StreamCompression.NONE,
        blobBytes,
        tarBytes,
        digests,
        GzipCheckpoints.plain(spanBytes, blobBytes));
  }

  private static MemorySegment map(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), Arena.ofAuto());
    }
  }
}

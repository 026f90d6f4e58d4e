package sluice.formats.soci;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import sluice.core.Bytes;
import sluice.core.ChunkEncoding.StreamCompression;
import sluice.core.CorruptException;
import sluice.core.Digest;
import sluice.core.LayerFormat;
import sluice.formats.entry.EntryType;
import sluice.formats.entry.LayerEntry;
import sluice.formats.record.RecordedEntry;
import sluice.formats.record.Recording;
import sluice.formats.soci.ZtocFixtures.Of;

/** Layers that get an index while they stream. */
@Timeout(120)
class ZtocRecorderTest {

  /** What the fixtures were made with. */
  private static final int FIXTURE_SPAN_BYTES = 1 << 20;

  private static final int SPAN_BYTES = 64 << 10;

  private static final RecordedEntry DIRECTORY =
      new RecordedEntry(
          new LayerEntry(
              0,
              EntryType.Known.DIRECTORY,
              Bytes.utf8("directory/"),
              Bytes.EMPTY,
              0,
              0755,
              0,
              0,
              1_700_000_000,
              0,
              0,
              0,
              Collections.emptySortedMap()),
          512,
          0,
          false,
          Bytes.EMPTY,
          Bytes.EMPTY,
          Map.of());

  @TempDir Path directory;

  static List<Of> fixtures() {
    return ZtocFixtures.all();
  }

  /**
   * All that SOCI's own tool says of a layer, we say as well: entries with all fields, spans with
   * their digests, and each byte of the checkpoints. Two things differ: the name of the tool, and
   * so the digest of the zTOC; the order of its parts, of which a reader sees nothing.
   */
  @ParameterizedTest
  @MethodSource("fixtures")
  void stream_fixture_recordsWhatSocisToolWrote(Of of) throws Exception {
    Ztoc theirs = of.open();
    LayerFormat.Layer layer = Recorded.layer(Recorded.GZIP, of.blob(), StreamCompression.GZIP);
    try (Recorded recorded = new Recorded(directory, Recorded.spans(FIXTURE_SPAN_BYTES))) {
      recorded.stream(layer, of.blob());
      Ztoc ours = recorded.ztoc(layer);
      assertThat(ours.buildTool()).isEqualTo("test");
      ZtocAssert.assertSameLayer(ours, theirs);
    }
  }

  /** Members end where nobody looks for a checkpoint; spans go on behind them. */
  @Test
  void stream_membersOneAfterAnother_recordsSpansThatDecode() throws Exception {
    byte[] tar = tar(1 << 20);
    ByteArrayOutputStream members = new ByteArrayOutputStream();
    for (int at = 0; at < tar.length; at += 100_000) {
      members.write(gzip(Arrays.copyOfRange(tar, at, Math.min(tar.length, at + 100_000))));
    }
    byte[] blob = members.toByteArray();
    Ztoc ztoc = record(Recorded.GZIP, blob, StreamCompression.GZIP);
    assertThat(ztoc.spans().count()).isGreaterThan(5);
    ZtocAssert.assertSpansDecode(ztoc, blob, tar);
  }

  @Test
  void stream_plainTar_recordsSpansOfOneSize() throws Exception {
    byte[] tar = tar(300_000);
    Ztoc ztoc = record(Recorded.TAR, tar, StreamCompression.NONE);
    assertThat(ztoc.spans().count()).isEqualTo((tar.length + SPAN_BYTES - 1) / SPAN_BYTES);
    ZtocAssert.assertSpansDecode(ztoc, tar, tar);
  }

  @Test
  void stream_zstdFrames_recordsThemAsSpans() throws Exception {
    byte[] tar = tar(400_000);
    ByteArrayOutputStream frames = new ByteArrayOutputStream();
    frames.write(skippable(33));
    for (int at = 0; at < tar.length; at += 20_000) {
      byte[] part = Arrays.copyOfRange(tar, at, Math.min(tar.length, at + 20_000));
      // Those that are streamed do not say how long they are.
      frames.write(at % 40_000 == 0 ? Zstd.compress(part) : streamed(part));
    }
    frames.write(skippable(99_000));
    byte[] blob = frames.toByteArray();
    Ztoc ztoc = record(Recorded.ZSTD, blob, StreamCompression.ZSTD);
    assertThat(ztoc.spans()).isInstanceOf(FrameSpans.class);
    // Three frames fit into 64 KiB.
    assertThat(ztoc.spans().count()).isEqualTo((tar.length + 59_999) / 60_000);
    assertThat(ztoc.spans().encoded(ztoc.spans().count() - 1).end())
        .isEqualTo(blob.length - skippable(99_000).length);
    ZtocAssert.assertSpansDecode(ztoc, blob, tar);
  }

  @Test
  void stream_oneZstdFrame_saysThatItIsNotSeekable() throws Exception {
    byte[] tar = tar(200_000);
    assertThat(reason(Recorded.ZSTD, Zstd.compress(tar), StreamCompression.ZSTD))
        .contains("one zstd frame, which can only be decoded from its beginning");
  }

  @Test
  void stream_oneShortZstdFrame_isOneSpan() throws Exception {
    byte[] tar = tar(20_000);
    byte[] blob = streamed(tar);
    Ztoc ztoc = record(Recorded.ZSTD, blob, StreamCompression.ZSTD);
    assertThat(ztoc.spans().count()).isEqualTo(1);
    ZtocAssert.assertSpansDecode(ztoc, blob, tar);
  }

  @Test
  void stream_sparseFile_saysThatAZtocCannotHoldIt() throws Exception {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (TarArchiveOutputStream tar = new TarArchiveOutputStream(out)) {
      tar.setAddPaxHeadersForNonAsciiNames(true);
      TarArchiveEntry entry = new TarArchiveEntry("sparse");
      byte[] map = Arrays.copyOf("1\n0\n3\n".getBytes(US_ASCII), 512 + 3);
      entry.setSize(map.length);
      entry.addPaxHeader("GNU.sparse.major", "1");
      entry.addPaxHeader("GNU.sparse.minor", "0");
      entry.addPaxHeader("GNU.sparse.name", "sparse");
      entry.addPaxHeader("GNU.sparse.realsize", "1003");
      tar.putArchiveEntry(entry);
      tar.write(map);
      tar.closeArchiveEntry();
    }
    assertThat(reason(Recorded.GZIP, gzip(out.toByteArray()), StreamCompression.GZIP))
        .contains("\"sparse\" is a sparse file");
  }

  @Test
  void stream_layerThatIsNotWhatItsDiffIdSays_leavesNothing() throws Exception {
    byte[] blob = gzip(tar(50_000));
    LayerFormat.Layer layer = Recorded.layer(Recorded.GZIP, blob, Digest.sha256(new byte[1]));
    try (Recorded recorded = new Recorded(directory, Recorded.spans(SPAN_BYTES))) {
      assertThatThrownBy(() -> recorded.stream(layer, blob))
          .isInstanceOf(CorruptException.class)
          .hasMessageContaining("diff-id");
      assertThat(recorded.find(layer)).isEmpty();
      assertThat(recorded.indexes().directory()).isEmptyDirectory();
    }
  }

  @Test
  void stream_moreThanTheSpoolsMayHold_isStreamedWithoutAnIndex() throws Exception {
    byte[] blob = gzip(tar(50_000));
    LayerFormat.Layer layer = Recorded.layer(Recorded.GZIP, blob, StreamCompression.GZIP);
    ZtocRecorder.Settings settings = new ZtocRecorder.Settings("test", SPAN_BYTES, blob.length - 1);
    try (Recorded recorded = new Recorded(directory, settings)) {
      assertThat(recorded.stream(layer, blob).devices()).hasSize(1);
      assertThat(recorded.find(layer)).isEmpty();
      assertThat(recorded.indexes().directory()).isEmptyDirectory();
    }
  }

  @Test
  void stream_moreEntriesThanALayerMayHave_saysSo() throws Exception {
    byte[] blob = gzip(directories(5000));
    LayerFormat.Layer layer = Recorded.layer(Recorded.GZIP, blob, StreamCompression.GZIP);
    try (Recorded recorded = new Recorded(directory, entries(512 << 10))) {
      assertThat(recorded.stream(layer, blob).metadataImage()).isNotEmptyFile();
      assertThat(recorded.find(layer).orElseThrow().reason())
          .matches("its entries take \\d+ bytes of memory, at most 524288");
      assertThat(recorded.recorder().entriesBytes()).isZero();
    }
  }

  /** They wait for their indexes while others stream. */
  @Test
  void stream_moreEntriesThanOthersLeave_isStreamedWithoutAnIndexThisTime() throws Exception {
    byte[] tar = directories(1500);
    LayerFormat.Layer other = Recorded.layer(Recorded.TAR, tar, StreamCompression.NONE);
    byte[] blob = gzip(tar);
    LayerFormat.Layer layer = Recorded.layer(Recorded.GZIP, blob, StreamCompression.GZIP);
    try (Recorded recorded = new Recorded(directory, entries(512 << 10))) {
      try (Recording streams = recorded.recorder().begin(other);
          Recording waits = recorded.recorder().begin(layer)) {
        waits.encoded(blob, 0, blob.length);
        for (int i = 0; i < 1500; i++) {
          streams.entry(DIRECTORY);
        }
        for (int i = 0; i < 1500; i++) {
          waits.entry(DIRECTORY);
        }
        assertThat(recorded.recorder().entriesBytes()).isBetween(256L << 10, 300L << 10);
        waits.endOfEntries(tar.length);
        waits.verified(StreamCompression.GZIP);
      }
      assertThat(recorded.recorder().awaitIdle(Duration.ofSeconds(60))).isTrue();
      assertThat(recorded.recorder().entriesBytes()).isZero();
      assertThat(recorded.find(layer)).isEmpty();
      recorded.stream(layer, blob);
      assertThat(recorded.ztoc(layer).entryCount()).isEqualTo(1500);
    }
  }

  @Test
  void encoded_whereTheDiskFails_givesUpTheIndexAndNothingElse() throws Exception {
    byte[] blob = gzip(tar(50_000));
    LayerFormat.Layer layer = Recorded.layer(Recorded.GZIP, blob, StreamCompression.GZIP);
    Spool broken = Spool.in(directory);
    broken.close();
    ZtocRecording recording =
        new ZtocRecording(layer, broken, new ZtocWriter("test"), ZtocRecording::drop);
    recording.encoded(blob, 0, blob.length);
    recording.encoded(blob, 0, blob.length);
    assertThat(recording.problem()).isInstanceOf(ClosedChannelException.class);
    recording.verified(StreamCompression.GZIP);
    recording.close();
  }

  @Test
  void close_whileALayerStreams_leavesNothing() throws Exception {
    byte[] blob = gzip(tar(50_000));
    LayerFormat.Layer layer = Recorded.layer(Recorded.GZIP, blob, StreamCompression.GZIP);
    Recorded recorded = new Recorded(directory, Recorded.spans(SPAN_BYTES));
    Recording recording = recorded.recorder().begin(layer);
    recording.encoded(blob, 0, blob.length);
    recorded.close();
    recording.verified(StreamCompression.GZIP);
    recording.close();
    assertThat(recorded.find(layer)).isEmpty();
    assertThat(recorded.indexes().directory()).isEmptyDirectory();
    assertThat(recorded.recorder().begin(layer)).isSameAs(Recording.NONE);
  }

  @Test
  void begin_layerThatHasAnIndex_recordsNothing() throws Exception {
    byte[] blob = gzip(tar(50_000));
    LayerFormat.Layer layer = Recorded.layer(Recorded.GZIP, blob, StreamCompression.GZIP);
    try (Recorded recorded = new Recorded(directory, Recorded.spans(SPAN_BYTES))) {
      recorded.stream(layer, blob);
      assertThat(recorded.recorder().begin(layer)).isSameAs(Recording.NONE);
    }
  }

  private static ZtocRecorder.Settings entries(long maxBytes) {
    return new ZtocRecorder.Settings("test", SPAN_BYTES, 1 << 30, maxBytes, Duration.ZERO);
  }

  private static byte[] directories(int count) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (TarArchiveOutputStream tar = new TarArchiveOutputStream(out)) {
      for (int i = 0; i < count; i++) {
        tar.putArchiveEntry(new TarArchiveEntry("directory/"));
        tar.closeArchiveEntry();
      }
    }
    return out.toByteArray();
  }

  private Ztoc record(String mediaType, byte[] blob, StreamCompression compression)
      throws Exception {
    LayerFormat.Layer layer = Recorded.layer(mediaType, blob, compression);
    try (Recorded recorded = new Recorded(directory, Recorded.spans(SPAN_BYTES))) {
      recorded.stream(layer, blob);
      return recorded.ztoc(layer);
    }
  }

  private String reason(String mediaType, byte[] blob, StreamCompression compression)
      throws Exception {
    LayerFormat.Layer layer = Recorded.layer(mediaType, blob, compression);
    try (Recorded recorded = new Recorded(directory, Recorded.spans(SPAN_BYTES))) {
      recorded.stream(layer, blob);
      OwnIndex none = recorded.find(layer).orElseThrow();
      assertThat(none.ztoc()).isNull();
      return none.reason();
    }
  }

  /** About so many bytes, in files that compress to half. */
  private static byte[] tar(int length) throws IOException {
    Random random = new Random(length);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (TarArchiveOutputStream tar = new TarArchiveOutputStream(out)) {
      for (int i = 0; out.size() < length; i++) {
        byte[] content = new byte[1 + random.nextInt(length / 10)];
        for (int at = 0; at < content.length; at++) {
          content[at] = (byte) (random.nextInt(16) + 'a');
        }
        TarArchiveEntry entry = new TarArchiveEntry("d/file" + i);
        entry.setSize(content.length);
        tar.putArchiveEntry(entry);
        tar.write(content);
        tar.closeArchiveEntry();
      }
    }
    return out.toByteArray();
  }

  private static byte[] gzip(byte[] content) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (OutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(content);
    }
    return out.toByteArray();
  }

  private static byte[] streamed(byte[] content) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (OutputStream zstd = new ZstdOutputStream(out)) {
      zstd.write(content);
    }
    return out.toByteArray();
  }

  private static byte[] skippable(int length) {
    return ByteBuffer.allocate(8 + length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(0x184d2a53)
        .putInt(length)
        .array();
  }
}

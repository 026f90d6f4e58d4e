package sluice.formats.soci;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import sluice.core.ByteRange;
import sluice.core.ChunkEncoding;
import sluice.core.Digest;
import sluice.formats.decode.EncodingDecoder;
import sluice.formats.inflate.CheckpointPass;
import sluice.formats.inflate.InflaterLibrary;

/** The checkpoints that we make of the fixtures' layers, beside those that SOCI's tool made. */
class ZtocCheckpointsTest {

  @TempDir private Path directory = Path.of("");

  static Stream<ZtocFixtures.Of> ztocs() {
    return ZtocFixtures.all().stream();
  }

  @ParameterizedTest
  @MethodSource("ztocs")
  void pass_givesTheSameCheckpointsAndDigestsByteForByte(ZtocFixtures.Of of) throws IOException {
    Ztoc ztoc = of.open();
    MemorySegment expected = ztoc.checkpoints();
    long spanBytes = expected.get(GzipSpans.LE_LONG, Integer.BYTES);
    Path file = directory.resolve("checkpoints");
    List<Digest> digests = new ArrayList<>();
    byte[] blob = of.blob();
    try (FileChannel out =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      GzipCheckpoints checkpoints = new GzipCheckpoints(out, spanBytes);
      CheckpointPass.Sink sink =
          new CheckpointPass.Sink() {
            @Override
            public void checkpoint(long blobOffset, long tarOffset, int bits, ByteBuffer window)
                throws IOException {
              checkpoints.add(blobOffset, tarOffset, bits, window);
            }

            @Override
            public void spanEnd(byte[] sha256) {
              digests.add(Digest.of(Digest.Algorithm.SHA256, sha256));
            }
          };
      try (CheckpointPass pass = new CheckpointPass(spanBytes, sink, of.toString())) {
        for (int at = 0; at < blob.length; at += 10_007) {
          pass.feed(ByteBuffer.wrap(blob, at, Math.min(10_007, blob.length - at)));
        }
        CheckpointPass.Totals totals = pass.finish();
        assertThat(totals.blobBytes()).isEqualTo(ztoc.compressedBytes());
        assertThat(totals.tarBytes()).isEqualTo(tar(blob).length);
      }
      checkpoints.finish();
    }
    assertThat(digests).isEqualTo(ztoc.spanDigests());
    assertThat(MemorySegment.ofArray(Files.readAllBytes(file)).mismatch(expected)).isNegative();
  }

  @ParameterizedTest
  @MethodSource("ztocs")
  void span_decodesAloneByEachInflater(ZtocFixtures.Of of) throws IOException {
    Ztoc ztoc = of.open();
    byte[] blob = of.blob();
    byte[] tar = tar(blob);
    GzipSpans spans = GzipSpans.read(ztoc.checkpoints(), blob.length, tar.length, of.toString());
    for (InflaterLibrary library : InflaterLibrary.values()) {
      for (int i = 0; i < spans.count() && library.present(); i++) {
        ByteRange encoded = spans.encoded(i);
        ByteRange decoded = spans.decoded(i);
        ByteBuffer out = ByteBuffer.allocate((int) decoded.length());
        new EncodingDecoder(library)
            .decode(
                spans.encoding(i),
                ByteBuffer.wrap(blob, (int) encoded.offset(), (int) encoded.length()),
                window(ztoc, spans, i),
                out);
        assertThat(out.array())
            .as("span %d by %s", i, library)
            .isEqualTo(Arrays.copyOfRange(tar, (int) decoded.offset(), (int) decoded.end()));
      }
    }
  }

  private static ByteBuffer window(Ztoc ztoc, GzipSpans spans, int span) {
    ByteRange window = ((ChunkEncoding.DeflateSpan) spans.encoding(span)).window();
    return ztoc.checkpoints().asSlice(window.offset(), window.length()).asByteBuffer();
  }

  private static byte[] tar(byte[] blob) throws IOException {
    try (InputStream in = new GZIPInputStream(new ByteArrayInputStream(blob))) {
      return in.readAllBytes();
    }
  }
}

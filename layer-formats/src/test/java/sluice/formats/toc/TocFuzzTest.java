package sluice.formats.toc;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;
import sluice.core.Chunk;
import sluice.core.ChunkEncoding;
import sluice.core.CorruptException;
import sluice.core.Placement;
import sluice.erofs.DeviceSlot;
import sluice.erofs.MetadataImageWriter;

/** Any bytes as a TOC: a tree and chunks that hold together, or refused. */
class TocFuzzTest {

  private static final long PAYLOAD_END = 1 << 20;
  private static final String DIGEST = "sha256:" + "0".repeat(64);

  static Stream<byte[]> seeds() {
    return Stream.of(
            "{\"version\":1,\"entries\":null}",
            """
            {"version":1,"entries":[
            {"name":".prefetch.landmark","type":"reg","size":1,"offset":9,"digest":"D"},
            {"name":"./","type":"dir","mode":493,"modtime":"2020-01-01T00:00:00.5Z","uid":-1},
            {"name":"a/b","type":"reg","size":9,"offset":10,"digest":"D","chunkSize":4,"chunkDigest":"D"},
            {"name":"a/b","type":"chunk","offset":20,"chunkOffset":4,"chunkSize":5,"chunkDigest":"D"},
            {"name":"c","type":"reg","size":7,"offset":20,"innerOffset":512,"digest":"D"},
            {"name":"l","type":"hardlink","linkName":"c"},{"name":"s","type":"symlink","linkName":"/a"},
            {"name":"d","type":"char","devMajor":1,"devMinor":3,"xattrs":{"user.x":"AAE="}},
            {"name":".wh.x","type":"reg"},{"name":"a/.wh..wh..opq","type":"reg"}]}
            """,
            """
            {"version":1,"tarSplitDigest":"D","entries":[
            {"type":"reg","name":"h","size":30,"offset":5,"endOffset":40,"digest":"D","chunkSize":10,
            "chunkDigest":"D","chunkType":"zeros"},
            {"type":"chunk","name":"h","offset":9,"chunkSize":20,"chunkOffset":10,"chunkDigest":"D"},
            {"type":"fifo","name":"p"},{"type":"block","name":"q","devMajor":7}]}
            """)
        .map(toc -> toc.replace("\"D\"", "\"" + DIGEST + "\"").getBytes(UTF_8));
  }

  @MethodSource("seeds")
  @FuzzTest(maxDuration = "10m")
  void build_anyBytes(byte[] toc) throws IOException {
    TocBuilder builder =
        new TocBuilder(new ChunkEncoding.ZstdFrame(), PAYLOAD_END, bytes -> {}, "layer x");
    try {
      TocParser.parse(new ByteArrayInputStream(toc), "layer x", builder);
      builder.finish();
    } catch (CorruptException e) {
      assertThat(e).hasMessageContaining("resource=layer x");
      return;
    }
    assertHoldTogether(builder);
    write(builder);
  }

  private static void assertHoldTogether(TocBuilder built) {
    long blobEnd = 0;
    long deviceEnd = 0;
    for (Chunk chunk : built.chunks()) {
      assertThat(chunk.encoded().offset()).isGreaterThanOrEqualTo(blobEnd);
      blobEnd = chunk.encoded().end();
      for (Placement placement : chunk.placements()) {
        assertThat(placement.deviceOffset()).isGreaterThanOrEqualTo(deviceEnd);
        deviceEnd = placement.deviceRange().end();
      }
    }
    assertThat(blobEnd).isLessThanOrEqualTo(PAYLOAD_END);
    assertThat(deviceEnd).isLessThanOrEqualTo(built.deviceBytes());
  }

  /** What was taken can be written. */
  private static void write(TocBuilder built) throws IOException {
    Path directory = Files.createTempDirectory("toc-fuzz");
    Path image = directory.resolve("image");
    try {
      DeviceSlot slot = new DeviceSlot("0".repeat(64), built.deviceBytes());
      MetadataImageWriter.write(built.tree(), List.of(slot), image);
    } catch (CorruptException e) {
      assertThat(e).hasMessageContaining("layer x");
    } finally {
      Files.deleteIfExists(image);
      Files.delete(directory);
    }
  }
}

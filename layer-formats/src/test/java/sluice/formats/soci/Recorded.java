package sluice.formats.soci;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import sluice.core.ChunkEncoding.StreamCompression;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.ImageDocument;
import sluice.core.IndexTrust;
import sluice.core.LayerFormat;
import sluice.core.LayerFormat.Recognition;
import sluice.core.LayerIndex;
import sluice.core.Repository;
import sluice.formats.stream.LayerStream;
import sluice.formats.tar.TarFormat;
import sluice.formats.testing.BlobSource;
import sluice.formats.testing.Images;
import sluice.formats.testing.PlainDevices;

/** Layers that are streamed while somebody records them. */
final class Recorded implements AutoCloseable {

  static final String GZIP = "application/vnd.oci.image.layer.v1.tar+gzip";
  static final String TAR = "application/vnd.oci.image.layer.v1.tar";
  static final String ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd";
  static final Repository REPOSITORY = new Repository.InRegistry("registry.test", "a");

  private static final Duration DEADLINE = Duration.ofSeconds(60);
  private static final Descriptor CONFIG =
      new Descriptor("application/vnd.oci.image.config.v1+json", Digest.sha256(new byte[0]), 0);

  private final Path directory;
  private final OwnIndexes indexes;
  private final ZtocRecorder recorder;
  private int streamed;

  Recorded(Path directory, ZtocRecorder.Settings settings) throws IOException {
    this.directory = directory;
    this.indexes = OwnIndexes.open(directory.resolve("indexes"), 1 << 30, InstantSource.system());
    this.recorder = ZtocRecorder.open(indexes, settings);
  }

  static ZtocRecorder.Settings spans(long spanBytes) {
    return new ZtocRecorder.Settings("test", spanBytes, 1 << 30);
  }

  OwnIndexes indexes() {
    return indexes;
  }

  ZtocRecorder recorder() {
    return recorder;
  }

  /** A layer of an image that has no other, with the diff-id that its bytes have. */
  static LayerFormat.Layer layer(String mediaType, byte[] blob, StreamCompression compression)
      throws IOException {
    return layer(mediaType, blob, Digest.sha256(decoded(blob, compression)));
  }

  static LayerFormat.Layer layer(String mediaType, byte[] blob, Digest diffId) {
    Descriptor descriptor = new Descriptor(mediaType, Digest.sha256(blob), blob.length);
    return new LayerFormat.Layer(
        Images.of(
            REPOSITORY,
            new ImageDocument.Manifest(CONFIG, List.of(descriptor), Map.of(), null, null)),
        0,
        diffId,
        Set.of(REPOSITORY));
  }

  static byte[] decoded(byte[] blob, StreamCompression compression) throws IOException {
    try (InputStream in = LayerStream.open(compression, new ByteArrayInputStream(blob), "layer")) {
      return in.readAllBytes();
    }
  }

  /** Streams a layer as ordinary ones are, and waits for its index. */
  LayerIndex stream(LayerFormat.Layer layer, byte[] blob) throws IOException, InterruptedException {
    Path place = Files.createDirectory(directory.resolve("streamed" + streamed++));
    try {
      return switch (new TarFormat(new BlobSource(digest -> blob), recorder)
          .recognise(layer, IndexTrust.PINNED)) {
        case Recognition.Tree(var indexer, var _) ->
            indexer.index(place.resolve("tree"), new PlainDevices(place));
        case Recognition other -> throw new AssertionError("recognised as " + other);
      };
    } finally {
      assertThat(recorder.awaitIdle(DEADLINE)).isTrue();
    }
  }

  /** The zTOC of a layer that was streamed. */
  Ztoc ztoc(LayerFormat.Layer layer) throws IOException {
    return Ztoc.open(indexes.ztoc(find(layer).orElseThrow()), "recorded");
  }

  Optional<OwnIndex> find(LayerFormat.Layer layer) {
    return indexes.find(layer.descriptor().digest(), layer.diffId());
  }

  @Override
  public void close() {
    recorder.close();
  }
}

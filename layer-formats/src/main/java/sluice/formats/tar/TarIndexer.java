package sluice.formats.tar;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import sluice.core.ChunkEncoding.StreamCompression;
import sluice.core.CorruptException;
import sluice.core.DeviceIndex;
import sluice.core.DeviceStore;
import sluice.core.Digest;
import sluice.core.Lane;
import sluice.core.LayerFormat.Indexer;
import sluice.core.LayerFormat.Layer;
import sluice.core.LayerIndex;
import sluice.core.LazyDevice;
import sluice.core.RangeSource;
import sluice.erofs.DeviceSlot;
import sluice.erofs.LayerTree;
import sluice.erofs.MetadataImageWriter;
import sluice.erofs.TreeRoom;
import sluice.erofs.TreeShare;
import sluice.formats.record.LayerRecorder;
import sluice.formats.record.Recording;
import sluice.formats.stream.LayerStream;

/**
 * Streams one layer into a metadata image and a device.
 *
 * <p>The calling thread fetches, hashes and decompresses; a second one unpacks. Inflating is the
 * slowest step, so it has a core of its own, and an interrupt of the caller reaches the fetch. Both
 * tell a recording what passes by.
 */
final class TarIndexer implements Indexer {

  private static final int FETCH_BUFFER_BYTES = 256 * 1024;

  private final RangeSource source;
  private final Layer layer;
  private final TarMediaType mediaType;
  private final LayerRecorder recorder;
  private final TreeRoom.Turn turn;
  private final String resource;

  TarIndexer(
      RangeSource source,
      Layer layer,
      TarMediaType mediaType,
      LayerRecorder recorder,
      TreeRoom.Turn turn) {
    this.source = source;
    this.turn = turn;
    this.layer = layer;
    this.mediaType = mediaType;
    this.recorder = recorder;
    this.resource = "layer " + layer.descriptor().digest();
  }

  @Override
  public boolean streams() {
    return true;
  }

  /** Whoever gives other bytes is asked last from then on: the second try may be another's. */
  @Override
  public LayerIndex index(Path metadataImage, DeviceStore devices)
      throws IOException, InterruptedException {
    AtomicBoolean given = new AtomicBoolean();
    try {
      return index(metadataImage, devices, given);
    } catch (CorruptException e) {
      if (given.get()) {
        throw e;
      }
      source.rejected(layer.descriptor().digest(), layer.holders(), 0);
      return index(metadataImage, devices, given);
    }
  }

  /**
   * Streams the layer once.
   *
   * @param given becomes true if its bytes were all given, and are those of the layer
   */
  private LayerIndex index(Path metadataImage, DeviceStore devices, AtomicBoolean given)
      throws IOException, InterruptedException {
    try (TreeShare room = TreeRoom.ofProcess().stream(turn, resource);
        DeviceStore.Staged staged = devices.stage();
        Recording recording = recorder.begin(layer)) {
      LayerTree tree = new LayerTree(resource, room);
      PlacementTable placements = new PlacementTable(room);
      DeviceWriter files = new DeviceWriter(staged, placements, room);
      MessageDigest diffId = Digest.hasher(layer.diffId().algorithm());
      Streamed streamed =
          stream(
              input -> new TarUnpack(new TarReader(input, room), input, tree, files, recording),
              diffId,
              recording,
              given);
      LayerHasher.verify("diff-id", layer.diffId(), diffId, resource);
      recording.verified(streamed.compression);
      long deviceBytes = files.finish();
      if (placements.isEmpty()) {
        MetadataImageWriter.write(tree, List.of(), metadataImage);
        return new LayerIndex(metadataImage, List.of(), List.of());
      }
      DeviceIndex index =
          new DeviceIndex(
              layer.descriptor().digest(),
              deviceBytes,
              placements.chunks(
                  streamed.compression,
                  layer.descriptor().digest(),
                  layer.descriptor().sizeBytes(),
                  streamed.tarBytes));
      LazyDevice device = staged.finish(index, layer.holders());
      DeviceSlot slot = new DeviceSlot(device.id().hex(), device.lengthBytes());
      MetadataImageWriter.write(tree, List.of(slot), metadataImage);
      return new LayerIndex(metadataImage, List.of(device.id()), List.of());
    }
  }

  @Override
  public String toString() {
    return "tar indexer of " + resource;
  }

  private record Streamed(StreamCompression compression, long tarBytes) {}

  /**
   * Streams the whole layer through both halves, and verifies the layer digest, also if what it
   * holds cannot be read.
   */
  private Streamed stream(
      UnpackThread.Unpacker unpacker,
      MessageDigest diffId,
      Recording recording,
      AtomicBoolean given)
      throws IOException, InterruptedException {
    try (InputStream blob = source.open(layer.descriptor().digest(), layer.holders(), Lane.DEMAND);
        LayerHasher hashed = new LayerHasher(blob, layer.descriptor(), recording, resource)) {
      try {
        Streamed streamed = unpack(hashed, unpacker, diffId);
        given.set(true);
        return streamed;
      } catch (CorruptException e) {
        given.set(isTheLayer(hashed));
        throw e;
      }
    } catch (InterruptedIOException e) {
      if (e instanceof SocketTimeoutException) {
        throw e;
      }
      throw interrupted(e);
    }
  }

  private Streamed unpack(LayerHasher hashed, UnpackThread.Unpacker unpacker, MessageDigest diffId)
      throws IOException, InterruptedException {
    // Closing the decoder leaves what follows to be hashed.
    BufferedInputStream encoded =
        new BufferedInputStream(hashed, FETCH_BUFFER_BYTES) {
          @Override
          public void close() {}
        };
    StreamCompression compression =
        mediaType.detected() ? LayerStream.detect(encoded) : StreamCompression.NONE;
    try (InputStream decoded = LayerStream.open(compression, encoded, resource)) {
      long tarBytes = UnpackThread.run(decoded, unpacker, diffId, resource);
      hashed.verify();
      return new Streamed(compression, tarBytes);
    }
  }

  private static boolean isTheLayer(LayerHasher hashed) throws IOException {
    try {
      hashed.transferTo(OutputStream.nullOutputStream());
      hashed.verify();
      return true;
    } catch (CorruptException e) {
      return false;
    }
  }

  private InterruptedException interrupted(InterruptedIOException cause) {
    InterruptedException interrupted =
        new InterruptedException("interrupted while fetching " + resource);
    interrupted.initCause(cause);
    return interrupted;
  }
}

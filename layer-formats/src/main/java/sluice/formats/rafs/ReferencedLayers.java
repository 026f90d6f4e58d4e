package sluice.formats.rafs;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import sluice.core.CorruptException;
import sluice.core.Descriptor;
import sluice.core.FetchException;
import sluice.core.Lane;
import sluice.core.LayerFormat;
import sluice.core.RangeSource;

/**
 * The gzip layers that zran blobs of an image refer into. They are no layers of its manifest, so
 * whoever copies the image may leave them behind.
 */
final class ReferencedLayers {
  private static final String SOURCE_ANNOTATION = "containerd.io/snapshot/nydus-source-reference";

  private final RangeSource source;
  private final LayerFormat.Layer layer;

  /**
   * @param layer the bootstrap layer
   */
  ReferencedLayers(RangeSource source, LayerFormat.Layer layer) {
    this.source = source;
    this.layer = layer;
  }

  /**
   * The layer of the image that holds the contexts of {@code blob}, and refers to it.
   *
   * @throws CorruptException if there is none
   */
  Descriptor contexts(BlobEntry blob, BlobEntry.Separate place) throws CorruptException {
    String referred = "no layer";
    for (Descriptor each : layer.manifest().layers()) {
      if (each.digest().equals(place.blob())) {
        referred = each.annotations().getOrDefault(RafsFormat.REFERENCE_ANNOTATION, "nothing");
        if (referred.equals(blob.blob().toString())) {
          return each;
        }
      }
    }
    throw new CorruptException(
        "blob table: the metadata of %s is in %s, which the manifest says to refer to %s"
            .formatted(blob.blob(), place.blob(), referred),
        "bootstrap layer " + layer.descriptor().digest(),
        -1);
  }

  /**
   * Asks for the last byte of each layer, all at once. Without it a container would meet a layer
   * that is not there, or shorter than the bootstrap says, as an I/O error some time later.
   *
   * @param blobs blobs of the bootstrap that are referred to
   * @throws FetchException if a layer is not there
   */
  void require(List<BlobEntry> blobs) throws IOException, InterruptedException {
    List<Callable<Void>> questions = new ArrayList<>();
    for (BlobEntry blob : blobs) {
      if (blob.has(BlobEntry.FEATURE_ZRAN)) {
        questions.add(() -> {
          require(blob);
          return null;
        });
      }
    }
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (Future<Void> answer : threads.invokeAll(questions)) {
        answer.get();
      }
    } catch (ExecutionException e) {
      if (e.getCause() instanceof IOException cause) {
        throw cause;
      }
      throw new IllegalStateException(e.getCause());
    }
  }

  private void require(BlobEntry blob) throws IOException, InterruptedException {
    try {
      source.read(
          blob.blob(),
          layer.holders(),
          blob.compressedBytes() - 1,
          ByteBuffer.allocate(1),
          Lane.DEMAND);
    } catch (FetchException e) {
      if (e.reason() != FetchException.Reason.NOT_FOUND) {
        throw e;
      }
      String from = layer.manifest().annotations().getOrDefault(SOURCE_ANNOTATION, "its source");
      throw new FetchException(
          "layer %s, into which this nydus image refers (zran), is not in %s, asked for its last byte of %d: push the image it was made from (%s) to the same repository, or convert that one with `sluice convert`, which copies the data"
              .formatted(blob.blob(), layer.holders(), blob.compressedBytes(), from),
          e.reason(),
          e.status(),
          e);
    }
  }
}

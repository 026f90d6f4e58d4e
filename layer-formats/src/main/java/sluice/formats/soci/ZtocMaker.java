package sluice.formats.soci;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.LayerFormat;

/** Makes indexes of what was recorded, and puts them where they are kept. For one thread. */
final class ZtocMaker {

  private static final Logger LOG = LoggerFactory.getLogger(ZtocMaker.class);

  private final OwnIndexes indexes;
  private final ZtocRecorder.Settings settings;
  private final BooleanSupplier stopped;

  ZtocMaker(OwnIndexes indexes, ZtocRecorder.Settings settings, BooleanSupplier stopped) {
    this.indexes = indexes;
    this.settings = settings;
    this.stopped = stopped;
  }

  /** Makes the index of a layer that was recorded, or notes why there is none. */
  void make(ZtocRecording recording) {
    Digest digest = recording.layer().descriptor().digest();
    long begin = System.nanoTime();
    try {
      IOException problem = recording.problem();
      if (problem != null) {
        throw problem;
      }
      Descriptor ztoc = index(recording);
      LOG.info(
          "layer {} has an index now: {} bytes, in {} ms behind its stream",
          digest,
          ztoc.sizeBytes(),
          TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin));
    } catch (UnseekableException e) {
      LOG.debug("layer {} has no index: {}", digest, e.getMessage());
      note(recording, e);
    } catch (IOException e) {
      if (!stopped.getAsBoolean()) {
        LOG.warn("no index is made of layer {}: {}", digest, e.toString());
      }
    } catch (RuntimeException e) {
      LOG.error("no index is made of layer {}", digest, e);
    }
  }

  private Descriptor index(ZtocRecording recording) throws IOException {
    LayerFormat.Layer layer = recording.layer();
    Path name = indexes.begin();
    try (FileChannel out = FileChannel.open(name, StandardOpenOption.WRITE)) {
      out.position(OwnIndex.HEADER_BYTES);
      Descriptor ztoc =
          new ZtocPass(recording, settings.spanBytes(), indexes.directory(), stopped).write(out);
      indexes.publish(OwnIndex.of(layer.descriptor().digest(), layer.diffId(), ztoc), name, out);
      return ztoc;
    } finally {
      Files.deleteIfExists(name);
    }
  }

  /** So that nobody tries again, and `inspect` can say why. */
  private void note(ZtocRecording recording, UnseekableException why) {
    LayerFormat.Layer layer = recording.layer();
    try {
      Path name = indexes.begin();
      try (FileChannel out = FileChannel.open(name, StandardOpenOption.WRITE)) {
        indexes.publish(
            OwnIndex.none(
                layer.descriptor().digest(), layer.diffId(), String.valueOf(why.getMessage())),
            name,
            out);
      } finally {
        Files.deleteIfExists(name);
      }
    } catch (IOException e) {
      LOG.debug("why layer {} has no index is not kept", layer.descriptor().digest(), e);
    }
  }
}

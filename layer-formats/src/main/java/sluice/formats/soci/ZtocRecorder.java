package sluice.formats.soci;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.LayerFormat;
import sluice.formats.record.LayerRecorder;
import sluice.formats.record.Recording;

/**
 * Makes zTOCs of layers that are streamed anyway, into {@link OwnIndexes}. Safe for use by many
 * threads.
 *
 * <p>The fastest inflaters can't stop where a deflate block ends, and who waits for a layer should
 * not wait for its index. So the layer's bytes are copied into a spool, and a second pass looks for
 * checkpoints behind the stream, on one thread of its own, and only while the streams leave it a
 * processor; but if the spools fill up, at once. They are bounded: a layer for which there is no
 * room has no index.
 */
public final class ZtocRecorder implements LayerRecorder, Closeable {

  private static final Logger LOG = LoggerFactory.getLogger(ZtocRecorder.class);

  /** A stream inflates on one thread, and unpacks on another. */
  private static final int STREAM_THREADS = 2;

  /** Disk that must stay free, in lengths of the layer: it is unpacked at the same time. */
  private static final int FREE_LENGTHS = 8;

  private static final Duration STOP_DEADLINE = Duration.ofSeconds(10);

  private final OwnIndexes indexes;
  private final Settings settings;
  private final Thread thread;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Deque<ZtocRecording> waiting = new ArrayDeque<>();
  private int streams;
  private long spooledBytes;
  private boolean working;
  private volatile boolean stopped;

  /**
   * What may be set.
   *
   * @param tool what zTOCs say that they were made by: a name and a version
   * @param spanBytes after how many decoded bytes a checkpoint is looked for
   * @param maxSpoolBytes how long all layers may be that are spooled at once
   */
  public record Settings(String tool, long spanBytes, long maxSpoolBytes) {
    /** What SOCI's own tool takes. */
    public static final long DEFAULT_SPAN_BYTES = 4L << 20;

    /** Some large layers at once; about a third of what they become on the same disk. */
    public static final long DEFAULT_SPOOL_BYTES = 4L << 30;

    /** The defaults. */
    public static Settings of(String tool) {
      return new Settings(tool, DEFAULT_SPAN_BYTES, DEFAULT_SPOOL_BYTES);
    }
  }

  private ZtocRecorder(OwnIndexes indexes, Settings settings) {
    this.indexes = indexes;
    this.settings = settings;
    this.thread = Thread.ofPlatform().name("index layers").daemon().unstarted(this::work);
  }

  /** Begins to wait for layers. */
  public static ZtocRecorder open(OwnIndexes indexes, Settings settings) {
    ZtocRecorder recorder = new ZtocRecorder(indexes, settings);
    recorder.thread.start();
    return recorder;
  }

  /** What was made. */
  public OwnIndexes indexes() {
    return indexes;
  }

  /** How it is made. */
  public Settings settings() {
    return settings;
  }

  @Override
  public Recording begin(LayerFormat.Layer layer) {
    Digest digest = layer.descriptor().digest();
    if (indexes.has(digest)) {
      return Recording.NONE;
    }
    long bytes = layer.descriptor().sizeBytes();
    try {
      if (!reserve(layer)) {
        return Recording.NONE;
      }
      try {
        return new ZtocRecording(
            layer, Spool.in(indexes.directory()), new ZtocWriter(settings.tool), this::finished);
      } catch (IOException | RuntimeException e) {
        release(bytes, true);
        throw e;
      }
    } catch (IOException e) {
      LOG.warn("no index is made of layer {}: {}", digest, e.toString());
      return Recording.NONE;
    }
  }

  /**
   * Waits until nothing streams, and all that has streamed has its index or none.
   *
   * @return false if that takes longer
   */
  public boolean awaitIdle(Duration atMost) throws InterruptedException {
    long left = atMost.toNanos();
    lock.lock();
    try {
      while (streams > 0 || working || !waiting.isEmpty()) {
        if (left <= 0) {
          return false;
        }
        left = changed.awaitNanos(left);
      }
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** Gives up what is not finished. Nothing half is left. */
  @Override
  public void close() {
    stopped = true;
    lock.lock();
    try {
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    try {
      if (!thread.join(STOP_DEADLINE)) {
        LOG.warn("{} is still running", thread.getName());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean reserve(LayerFormat.Layer layer) throws IOException {
    long bytes = layer.descriptor().sizeBytes();
    long free = Files.getFileStore(indexes.directory()).getUsableSpace();
    lock.lock();
    try {
      if (stopped || bytes > settings.maxSpoolBytes - spooledBytes || bytes > free / FREE_LENGTHS) {
        LOG.warn(
            "no index is made of layer {}: there is no room for its {} bytes: {} of {} bytes are"
                + " taken, {} bytes are free on the disk",
            layer.descriptor().digest(),
            bytes,
            spooledBytes,
            settings.maxSpoolBytes,
            free);
        return false;
      }
      spooledBytes += bytes;
      streams++;
      return true;
    } finally {
      lock.unlock();
    }
  }

  private void release(long bytes, boolean streamed) {
    lock.lock();
    try {
      spooledBytes -= bytes;
      streams -= streamed ? 1 : 0;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void finished(ZtocRecording recording) {
    boolean verified = recording.compression() != null;
    lock.lock();
    try {
      if (verified && !stopped) {
        streams--;
        waiting.add(recording);
        changed.signalAll();
        return;
      }
    } finally {
      lock.unlock();
    }
    recording.drop();
    release(recording.layer().descriptor().sizeBytes(), true);
  }

  private void work() {
    ZtocRecording recording;
    while ((recording = next()) != null) {
      try {
        finish(recording);
      } finally {
        recording.drop();
        done(recording);
      }
    }
  }

  private @Nullable ZtocRecording next() {
    lock.lock();
    try {
      while (!stopped && (waiting.isEmpty() || busy())) {
        changed.awaitUninterruptibly();
      }
      if (stopped) {
        waiting.forEach(ZtocRecording::drop);
        waiting.clear();
        return null;
      }
      working = true;
      return waiting.remove();
    } finally {
      lock.unlock();
    }
  }

  /** Whether the streams need all processors, and the spools have room left. */
  private boolean busy() {
    return streams > 0
        && streams * STREAM_THREADS >= Runtime.getRuntime().availableProcessors()
        && spooledBytes < settings.maxSpoolBytes / 2;
  }

  private void done(ZtocRecording recording) {
    lock.lock();
    try {
      working = false;
    } finally {
      lock.unlock();
    }
    release(recording.layer().descriptor().sizeBytes(), false);
  }

  private void finish(ZtocRecording recording) {
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
      if (!stopped) {
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
          new ZtocPass(recording, settings.spanBytes, indexes.directory(), () -> stopped)
              .write(out);
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

package sluice.formats.soci;

import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
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
 * processor and a moment longer, until they are answered; but if the spools fill up, or the memory
 * for what is known of entries, at once. Both are bounded: a layer for which there is no room has
 * no index.
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
  private final ZtocMaker maker;
  private final EntriesRoom room;
  private final Thread thread;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Deque<ZtocRecording> waiting = new ArrayDeque<>();
  private int streams;
  private long lastStreamEnded = System.nanoTime();
  private long spooledBytes;
  private boolean working;
  private volatile boolean stopped;

  /**
   * What may be set.
   *
   * @param tool what zTOCs say that they were made by: a name and a version
   * @param spanBytes after how many decoded bytes a checkpoint is looked for
   * @param maxSpoolBytes how long all layers may be that are spooled at once
   * @param maxEntriesBytes what their entries may take of memory until the zTOCs are written
   * @param settle how long after a stream the second pass begins: what has streamed must still be
   *     brought to the disk and answered
   */
  public record Settings(
      String tool, long spanBytes, long maxSpoolBytes, long maxEntriesBytes, Duration settle) {
    /** What SOCI's own tool takes. */
    public static final long DEFAULT_SPAN_BYTES = 4L << 20;

    /** Some large layers at once; about a third of what they become on the same disk. */
    public static final long DEFAULT_SPOOL_BYTES = 4L << 30;

    /**
     * One layer of 500,000 entries of 250 bytes, which is as many as the largest images known have,
     * while its buffer of 128 MiB is filled from one of half that length; or some ordinary ones. A
     * quarter of the heap, beside which it is.
     */
    public static final long DEFAULT_ENTRIES_BYTES = 256L << 20;

    /** What a Prepare needs after its stream on a busy disk. */
    public static final Duration DEFAULT_SETTLE = Duration.ofSeconds(1);

    /** Settings by which the second pass begins at once. */
    public Settings(String tool, long spanBytes, long maxSpoolBytes) {
      this(tool, spanBytes, maxSpoolBytes, DEFAULT_ENTRIES_BYTES, Duration.ZERO);
    }

    /** The defaults. */
    public static Settings of(String tool) {
      return new Settings(
          tool, DEFAULT_SPAN_BYTES, DEFAULT_SPOOL_BYTES, DEFAULT_ENTRIES_BYTES, DEFAULT_SETTLE);
    }
  }

  private ZtocRecorder(OwnIndexes indexes, Settings settings) {
    this.indexes = indexes;
    this.settings = settings;
    this.room = new EntriesRoom(settings.maxEntriesBytes);
    this.maker = new ZtocMaker(indexes, settings, () -> stopped);
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
        return recording(layer);
      } catch (IOException | RuntimeException e) {
        release(bytes, true);
        throw e;
      }
    } catch (IOException e) {
      LOG.warn("no index is made of layer {}: {}", digest, e.toString());
      return Recording.NONE;
    }
  }

  private Recording recording(LayerFormat.Layer layer) throws IOException {
    ZtocWriter writer;
    try {
      writer = new ZtocWriter(settings.tool, room);
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    try {
      return new ZtocRecording(layer, Spool.in(indexes.directory()), writer, this::finished);
    } catch (IOException | RuntimeException e) {
      writer.close();
      throw e;
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

  /** What the entries of all layers take that are recorded. */
  long entriesBytes() {
    return room.takenBytes();
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
      if (streamed) {
        streamEnded();
      }
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
        streamEnded();
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
        maker.make(recording);
      } catch (RuntimeException | Error e) {
        // The only thread for this: the next layer's index may well succeed.
        LOG.error(
            "layer {}: fault while its index was made", recording.layer().descriptor().digest(), e);
      } finally {
        recording.drop();
        done(recording);
      }
    }
  }

  private @Nullable ZtocRecording next() {
    lock.lock();
    try {
      while (!stopped && (waiting.isEmpty() || pauseNanos() > 0)) {
        if (waiting.isEmpty()) {
          changed.await();
        } else {
          var _ = changed.awaitNanos(pauseNanos());
        }
      }
      if (stopped) {
        waiting.forEach(ZtocRecording::drop);
        waiting.clear();
        return null;
      }
      working = true;
      return waiting.remove();
    } catch (InterruptedException e) {
      throw new AssertionError("nobody else has this thread", e);
    } finally {
      lock.unlock();
    }
  }

  /** How long to leave the processors, or the disk, to the streams; 0 if they need them no more. */
  private long pauseNanos() {
    if (spooledBytes >= settings.maxSpoolBytes / 2 || room.isHalfTaken()) {
      return 0;
    }
    if (streams > 0 && streams * STREAM_THREADS >= Runtime.getRuntime().availableProcessors()) {
      return Long.MAX_VALUE;
    }
    return settings.settle.toNanos() - (System.nanoTime() - lastStreamEnded);
  }

  private void streamEnded() {
    streams--;
    lastStreamEnded = System.nanoTime();
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
}

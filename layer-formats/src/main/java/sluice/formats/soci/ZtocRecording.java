package sluice.formats.soci;

import java.io.IOException;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.core.ChunkEncoding.StreamCompression;
import sluice.core.LayerFormat;
import sluice.formats.entry.LayerEntry;
import sluice.formats.record.RecordedEntry;
import sluice.formats.record.Recording;

/**
 * What is written down of a layer while it streams: its bytes into a spool, its entries into the
 * beginnings of a zTOC. When both have ended and were verified, {@code finished} gets it.
 */
final class ZtocRecording implements Recording {

  private static final Logger LOG = LoggerFactory.getLogger(ZtocRecording.class);

  private final LayerFormat.Layer layer;
  private final Spool spool;
  private final ZtocWriter writer;
  private final Consumer<ZtocRecording> finished;

  /** Why there will be no index; null as long as there may be one. */
  private volatile @Nullable IOException problem;

  private long tarBytes = -1;
  private @Nullable StreamCompression compression;

  /**
   * @param spool empty; the recording owns it, as it does the writer
   * @param finished is called once, when the recording was closed; what it gets must be {@link
   *     #drop dropped}
   */
  ZtocRecording(
      LayerFormat.Layer layer, Spool spool, ZtocWriter writer, Consumer<ZtocRecording> finished) {
    this.layer = layer;
    this.spool = spool;
    this.writer = writer;
    this.finished = finished;
  }

  LayerFormat.Layer layer() {
    return layer;
  }

  Spool spool() {
    return spool;
  }

  ZtocWriter writer() {
    return writer;
  }

  /** Length of the tar stream up to its end mark. */
  long tarBytes() {
    return tarBytes;
  }

  /** What the layer is compressed with; null if it was not verified. */
  @Nullable StreamCompression compression() {
    return compression;
  }

  /** Why there will be no index; null if there may be one. */
  @Nullable IOException problem() {
    return problem;
  }

  @Override
  public void encoded(byte[] bytes, int offset, int length) {
    if (problem == null) {
      try {
        spool.append(bytes, offset, length);
      } catch (IOException e) {
        giveUp(e);
      }
    }
  }

  @Override
  public void entry(RecordedEntry entry) {
    if (problem != null) {
      writer.close();
      return;
    }
    try {
      if (entry.sparse()) {
        throw new UnseekableException(
            "\"%s\" is a sparse file, and a zTOC cannot say where its holes are"
                .formatted(entry.entry().name()));
      }
      writer.add(entryOf(entry));
    } catch (IOException e) {
      giveUp(e);
      writer.close();
    } catch (IllegalArgumentException e) {
      giveUp(new UnseekableException(String.valueOf(e.getMessage())));
      writer.close();
    }
  }

  @Override
  public void endOfEntries(long tarOffset) {
    writer.endOfEntries();
    tarBytes = tarOffset;
  }

  @Override
  public void verified(StreamCompression found) {
    compression = found;
  }

  @Override
  public void close() {
    if (problem != null) {
      // Before it waits for its turn.
      writer.close();
    }
    finished.accept(this);
  }

  /** Frees what it holds. */
  void drop() {
    writer.close();
    try {
      spool.close();
    } catch (IOException e) {
      LOG.warn("the spool of layer {} cannot be closed: {}", digest(), e.toString());
    }
  }

  /** The layer must not want for room on the disk because of us, so that is given back at once. */
  private void giveUp(IOException why) {
    problem = why;
    try {
      spool.empty();
    } catch (IOException e) {
      why.addSuppressed(e);
    }
  }

  private Object digest() {
    return layer.descriptor().digest();
  }

  private static ZtocEntry entryOf(RecordedEntry recorded) {
    LayerEntry entry = recorded.entry();
    return new ZtocEntry(
        entry.type(),
        recorded.dataOffset(),
        recorded.statedSize(),
        entry.name(),
        entry.linkName(),
        entry.mode(),
        entry.uid(),
        entry.gid(),
        recorded.userName(),
        recorded.groupName(),
        entry.mtime(),
        entry.nanos(),
        entry.devMajor(),
        entry.devMinor(),
        new TreeMap<>(recorded.records()));
  }
}

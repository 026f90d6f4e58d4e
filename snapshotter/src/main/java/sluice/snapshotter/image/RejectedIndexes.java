package sluice.snapshotter.image;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import sluice.core.CorruptException;
import sluice.core.Digest;
import sluice.core.LayerFormat;

/**
 * Indexes that turned out to be of no use, and why: those that break their format, until the
 * process ends, and for ever those that do not show what their layer holds. Safe for use by many
 * threads.
 */
public final class RejectedIndexes {

  /** Enough for every index of a node; whoever makes more of them only makes us look again. */
  private static final int MAX_BROKEN = 4096;

  private static final JsonMapper JSON = new JsonMapper();
  private static final TypeReference<TreeMap<String, String>> REASONS = new TypeReference<>() {};

  private final Path file;
  private final Map<String, String> lying;
  private boolean unsaved;

  /** Guards what is known, and the writing of the file. */
  private final ReentrantLock lock = new ReentrantLock();

  private final Map<Broken, String> broken =
      new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Broken, String> eldest) {
          return size() > MAX_BROKEN;
        }
      };

  /** An index, and the image that led to it: others may say rightly where it lies. */
  private record Broken(LayerKey key, Digest image) {}

  private RejectedIndexes(Path file, Map<String, String> lying) {
    this.file = file;
    this.lying = new TreeMap<>(lying);
  }

  /**
   * Reads the file, or begins with none.
   *
   * @throws CorruptException if the file is not what was written there
   */
  public static RejectedIndexes open(Path file) throws IOException {
    if (!Files.exists(file)) {
      return new RejectedIndexes(file, new TreeMap<>());
    }
    try {
      return new RejectedIndexes(file, JSON.readValue(Files.readAllBytes(file), REASONS));
    } catch (JacksonException e) {
      throw new CorruptException(
          "rejected indexes: " + e.getOriginalMessage() + "; delete the file to forget them",
          file.toString(),
          -1);
    }
  }

  /** Why an image's index of this key is not used; empty if nothing is known against it. */
  Optional<String> reason(LayerKey key, LayerFormat.Image image) {
    lock.lock();
    try {
      String reason = lying.get(key.toString());
      return Optional.ofNullable(
          reason == null ? broken.get(new Broken(key, image.digest())) : reason);
    } finally {
      lock.unlock();
    }
  }

  /** Why the index shows what its layer does not hold; empty if that was not found. */
  public Optional<String> lie(LayerKey key) {
    lock.lock();
    try {
      return Optional.ofNullable(lying.get(key.toString()));
    } finally {
      lock.unlock();
    }
  }

  /** The index to which the image leads cannot be read. */
  void broken(LayerKey key, LayerFormat.Image image, String reason) {
    lock.lock();
    try {
      broken.put(new Broken(key, image.digest()), reason);
    } finally {
      lock.unlock();
    }
  }

  /** The index was read, but does not show what the layer holds. Kept on disk when this returns. */
  void lying(LayerKey key, String reason) throws IOException {
    lock.lock();
    try {
      lying.put(key.toString(), reason);
      unsaved = true;
      write();
    } finally {
      lock.unlock();
    }
  }

  /** Writes what {@link #lying} could not write. */
  void save() throws IOException {
    lock.lock();
    try {
      if (unsaved) {
        write();
      }
    } finally {
      lock.unlock();
    }
  }

  private void write() throws IOException {
    Path next = file.resolveSibling(file.getFileName() + ".new");
    Files.write(next, JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(lying));
    DurableFiles.sync(next);
    DurableFiles.publish(next, file);
    unsaved = false;
  }

  /** The indexes that do not show what their layers hold, and how each of them lies. */
  public Map<LayerKey, String> lying() {
    Map<LayerKey, String> found = new LinkedHashMap<>();
    lock.lock();
    try {
      lying.forEach((text, how) -> LayerKey.parse(text).ifPresent(key -> found.put(key, how)));
    } finally {
      lock.unlock();
    }
    return found;
  }
}

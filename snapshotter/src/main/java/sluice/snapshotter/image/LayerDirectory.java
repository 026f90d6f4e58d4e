package sluice.snapshotter.image;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.core.CorruptException;
import sluice.core.DeviceId;
import sluice.core.DeviceStore;
import sluice.core.Repository;

/**
 * The layers of this node on disk, each in a directory {@code <format>_<digest>} with its tree and
 * its record. Safe for use by many threads; the directory belongs to one process.
 *
 * <p>A layer is made in a directory of another name, which is renamed when everything in it is on
 * disk; what a crash leaves half made is removed by {@link #open}.
 */
final class LayerDirectory {

  private static final Logger LOG = LoggerFactory.getLogger(LayerDirectory.class);
  private static final String UNFINISHED = ".new-";

  /** Locks of layers; more than there are processors, so that they rarely meet. */
  private static final int LOCKS = 64;

  private final Path directory;
  private final DeviceStore devices;
  private final ConcurrentHashMap<LayerKey, KeptLayer> loaded = new ConcurrentHashMap<>();

  /** Each guards the directories of the layers whose keys it is for; held across local I/O. */
  private final List<ReentrantLock> locks =
      Stream.generate(ReentrantLock::new).limit(LOCKS).toList();

  private LayerDirectory(Path directory, DeviceStore devices) {
    this.directory = directory;
    this.devices = devices;
  }

  /** Opens {@code directory}, which is made if it is not there. */
  static LayerDirectory open(Path directory, DeviceStore devices) throws IOException {
    Files.createDirectories(directory);
    try (DirectoryStream<Path> unfinished = Files.newDirectoryStream(directory, UNFINISHED + "*")) {
      for (Path leftover : unfinished) {
        DurableFiles.deleteTree(leftover);
      }
    }
    return new LayerDirectory(directory, devices);
  }

  /** A layer that is there, with all its devices. */
  Optional<KeptLayer> find(LayerKey key) {
    Optional<KeptLayer> known = known(key);
    if (known.isPresent()) {
      return known;
    }
    ReentrantLock guard = lockOf(key);
    guard.lock();
    try {
      return known(key).or(() -> load(key));
    } finally {
      guard.unlock();
    }
  }

  private Optional<KeptLayer> known(LayerKey key) {
    return Optional.ofNullable(loaded.get(key))
        .filter(layer -> Files.isRegularFile(layer.metadataImage()));
  }

  private Optional<KeptLayer> load(LayerKey key) {
    loaded.remove(key);
    Path place = place(key);
    if (!Files.isDirectory(place)) {
      return Optional.empty();
    }
    try {
      KeptLayer layer = LayerRecord.read(place, key);
      if (!Files.isRegularFile(layer.metadataImage())) {
        throw new NoSuchFileException(layer.metadataImage().toString());
      }
      for (DeviceId device : layer.devices()) {
        devices.open(device);
      }
      loaded.put(key, layer);
      return Optional.of(layer);
    } catch (IOException e) {
      LOG.warn("layer {} is made anew: what is kept of it cannot be used: {}", key, e.toString());
      return Optional.empty();
    }
  }

  /** Layers that are in use and that nobody has compared with what they hold. */
  List<KeptLayer> claimed() {
    return loaded.values().stream().filter(layer -> layer.claim() != null).toList();
  }

  /** Notes that a layer was compared, if it is still the one that is there. */
  void compared(KeptLayer layer) throws IOException {
    ReentrantLock guard = lockOf(layer.key());
    guard.lock();
    try {
      KeptLayer now = loaded.get(layer.key());
      if (now != null && now.compared().equals(layer.compared())) {
        rewrite(now.compared());
      }
    } finally {
      guard.unlock();
    }
  }

  /** Notes that the claimed layer is held by these repositories, too; the layer as it is now. */
  KeptLayer addHolders(KeptLayer layer, Set<Repository> holders) throws IOException {
    ReentrantLock guard = lockOf(layer.key());
    guard.lock();
    try {
      KeptLayer now = loaded.get(layer.key());
      if (now == null) {
        return layer;
      }
      KeptLayer.Claim claim = now.claim();
      if (claim == null || claim.layers().getFirst().holders().containsAll(holders)) {
        return now;
      }
      KeptLayer held = now.claiming(claim.with(holders));
      rewrite(held);
      return held;
    } finally {
      guard.unlock();
    }
  }

  private void rewrite(KeptLayer layer) throws IOException {
    LayerRecord.write(place(layer.key()), layer);
    loaded.put(layer.key(), layer);
  }

  /** The keys of all layers that are there. */
  Set<LayerKey> keys() throws IOException {
    Set<LayerKey> keys = new HashSet<>();
    try (DirectoryStream<Path> places = Files.newDirectoryStream(directory)) {
      for (Path place : places) {
        LayerKey.parse(place.getFileName().toString()).ifPresent(keys::add);
      }
    }
    return keys;
  }

  /** A new directory to make a layer in; the caller deletes it if {@link #publish} does not. */
  Path begin() throws IOException {
    return Files.createTempDirectory(directory, UNFINISHED);
  }

  /** Where a layer lies, or would. */
  Path place(LayerKey key) {
    return directory.resolve(key.toString());
  }

  /**
   * Puts a layer in its place, which it replaces, when all of it is on disk.
   *
   * @param made what {@link #begin} gave, with the tree in it
   */
  void publish(KeptLayer layer, Path made) throws IOException {
    DurableFiles.sync(LayerRecord.tree(made));
    LayerRecord.write(made, layer);
    DurableFiles.sync(made);
    Path target = place(layer.key());
    ReentrantLock guard = lockOf(layer.key());
    guard.lock();
    try {
      DurableFiles.deleteTree(target);
      DurableFiles.publish(made, target);
      loaded.put(layer.key(), layer);
    } finally {
      guard.unlock();
    }
  }

  /** Deletes these layers; their devices stay. */
  void delete(Collection<LayerKey> keys) throws IOException {
    for (LayerKey key : keys) {
      Path grave = Files.createTempDirectory(directory, UNFINISHED);
      try {
        bury(key, grave.resolve("layer"));
      } finally {
        DurableFiles.deleteTree(grave);
      }
    }
  }

  private void bury(LayerKey key, Path grave) throws IOException {
    ReentrantLock guard = lockOf(key);
    guard.lock();
    try {
      loaded.remove(key);
      Files.move(place(key), grave);
    } catch (NoSuchFileException e) {
      LOG.debug("layer {} was gone already", key);
    } finally {
      guard.unlock();
    }
  }

  /**
   * The devices of all layers that are there; opens none of them.
   *
   * @throws IOException if a record that is there cannot be read, so that nobody can tell whose
   *     devices are whose
   */
  Set<DeviceId> recordedDevices() throws IOException {
    Set<DeviceId> live = new HashSet<>();
    for (LayerKey key : keys()) {
      live.addAll(recordedDevices(key));
    }
    return live;
  }

  private List<DeviceId> recordedDevices(LayerKey key) throws IOException {
    try {
      return LayerRecord.read(place(key), key).devices();
    } catch (NoSuchFileException | CorruptException e) {
      LOG.warn("layer {} is of no use, and its devices are not kept: {}", key, e.toString());
      return List.of();
    } catch (IOException e) {
      throw new IOException(
          "no device is deleted, because the record of layer %s cannot be read: %s"
              .formatted(key, e),
          e);
    }
  }

  private ReentrantLock lockOf(LayerKey key) {
    return locks.get(Math.floorMod(key.hashCode(), LOCKS));
  }
}

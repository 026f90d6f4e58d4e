package sluice.snapshotter.image;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.core.DeviceId;
import sluice.core.DeviceStore;
import sluice.core.LazyDevice;
import sluice.core.RootfsMounter;
import sluice.erofs.DeviceSlot;
import sluice.erofs.MetadataImage;

/**
 * Merged images mounted as directories {@code <key>}, each once, whoever stands on it. Safe for use
 * by many threads.
 */
final class RootfsLibrary {

  private static final Logger LOG = LoggerFactory.getLogger(RootfsLibrary.class);

  private final Path directory;
  private final RootfsMounter mounter;
  private final DeviceStore devices;
  private final SingleFlight<ChainKey, Path> flights;
  private final Map<ChainKey, RootfsMounter.Mounted> mounted = new ConcurrentHashMap<>();

  RootfsLibrary(
      Path directory, RootfsMounter mounter, DeviceStore devices, ExecutorService workers) {
    this.directory = directory;
    this.mounter = mounter;
    this.devices = devices;
    this.flights = new SingleFlight<>(workers);
  }

  /**
   * Mounts what {@code image} makes, or finds it mounted.
   *
   * @param image gives the merged image; called only if it is not mounted
   * @return the directory of the tree
   */
  Path mount(ChainKey key, Work<Path> image) throws IOException, InterruptedException {
    RootfsMounter.Mounted known = mounted.get(key);
    if (known != null && known.alive()) {
      return tree(known.target());
    }
    Future<Path> flight = flights.join(key, () -> mountNow(key, image));
    return SingleFlight.await(flight);
  }

  Set<ChainKey> mounted() {
    return Set.copyOf(mounted.keySet());
  }

  /** Whether somebody serves the mount of a chain; true if it is not mounted. */
  boolean alive(ChainKey key) {
    RootfsMounter.Mounted mount = mounted.get(key);
    return mount == null || mount.alive();
  }

  String driver() {
    return mounter.driver();
  }

  /** Where a chain is mounted, or would be. */
  Path target(ChainKey key) {
    return directory.resolve(key.hex());
  }

  /** Unmounts a chain that nobody needs; a container that still has a file of it keeps reading. */
  void unmount(ChainKey key) throws IOException {
    RootfsMounter.Mounted mount = mounted.remove(key);
    if (mount != null) {
      mount.close();
      Files.deleteIfExists(target(key));
      LOG.info("chain {} unmounted", key);
    }
  }

  /** The devices of a metadata image, in the order of its device table. */
  static List<LazyDevice> devices(Path image, DeviceStore store) throws IOException {
    List<LazyDevice> devices = new ArrayList<>();
    try (MetadataImage metadata = MetadataImage.open(image)) {
      for (DeviceSlot slot : metadata.devices()) {
        devices.add(store.open(new DeviceId(slot.tag())));
      }
    } catch (IllegalArgumentException e) {
      throw new IOException("metadata image " + image + ": " + e.getMessage(), e);
    }
    return devices;
  }

  private Path mountNow(ChainKey key, Work<Path> image) throws IOException, InterruptedException {
    RootfsMounter.Mounted known = mounted.get(key);
    if (known != null && known.alive()) {
      return tree(known.target());
    }
    if (known != null) {
      LOG.warn("chain {}: its mount has ended, it is made again", key);
      mounted.remove(key, known);
      known.close();
    }
    Path metadata = image.run();
    Path target = target(key);
    makeMountPoint(target);
    RootfsMounter.Mounted mount = mounter.mount(metadata, devices(metadata, devices), target);
    mounted.put(key, mount);
    LOG.info("chain {} mounted by {} at {}", key, mounter.driver(), target);
    return tree(target);
  }

  /**
   * Makes the directory to mount on. One that a killed daemon left mounted may answer ENOTCONN even
   * to stat, so that it does not look like a directory; the mounter unmounts it.
   */
  private static void makeMountPoint(Path target) throws IOException {
    try {
      Files.createDirectory(target);
    } catch (FileAlreadyExistsException e) {
      LOG.debug("{}: left by an earlier mount", target);
    }
  }

  /** containerd clones the parent of a lower directory for user namespaces; so ours is a child. */
  static Path tree(Path target) {
    return target.resolve("fs");
  }
}

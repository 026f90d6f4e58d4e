package sluice.snapshotter.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import sluice.core.LazyDevice;
import sluice.core.RootfsMounter;

/** Mounts by noting what is mounted where. */
final class FakeMounter implements RootfsMounter {

  final Map<Path, Path> images = new ConcurrentHashMap<>();
  final AtomicInteger mounts = new AtomicInteger();

  /** Every unmount passes it. */
  final Gate unmounting = new Gate();

  private final Set<Path> stuck = ConcurrentHashMap.newKeySet();

  /** Makes every unmount of this target fail. */
  void failToUnmount(Path target) {
    stuck.add(target);
  }

  private void unmount(Path target) throws IOException {
    if (stuck.contains(target)) {
      throw new IOException(target + ": stuck");
    }
    unmounting.pass();
    images.remove(target);
  }

  @Override
  public String driver() {
    return "fake";
  }

  @Override
  public Mounted mount(Path metadataImage, List<LazyDevice> devices, Path target)
      throws IOException {
    mounts.incrementAndGet();
    if (!Files.isRegularFile(metadataImage) || !Files.isDirectory(target)) {
      throw new IOException(metadataImage + " onto " + target);
    }
    images.put(target, metadataImage);
    return new Mounted() {
      @Override
      public Path target() {
        return target;
      }

      @Override
      public boolean alive() {
        return images.containsKey(target);
      }

      @Override
      public void close() throws IOException {
        unmount(target);
      }
    };
  }

  @Override
  public void close() {
    images.clear();
  }
}

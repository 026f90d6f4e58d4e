package sluice.snapshotter.image;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import sluice.core.LazyDevice;
import sluice.core.RootfsMounter;

/** Mounts by noting what is mounted where. */
final class FakeMounter implements RootfsMounter {

  final Map<Path, Path> images = new ConcurrentHashMap<>();
  final AtomicInteger mounts = new AtomicInteger();

  private final Set<Path> stuck = ConcurrentHashMap.newKeySet();
  final AtomicInteger unmounting = new AtomicInteger();
  private volatile @Nullable CountDownLatch gate;

  /** Makes every unmount wait until the result is counted down. */
  CountDownLatch holdUnmounting() {
    CountDownLatch latch = new CountDownLatch(1);
    gate = latch;
    return latch;
  }

  /** Makes every unmount of this target fail. */
  void failToUnmount(Path target) {
    stuck.add(target);
  }

  private void unmount(Path target) throws IOException {
    if (stuck.contains(target)) {
      throw new IOException(target + ": stuck");
    }
    unmounting.incrementAndGet();
    try {
      CountDownLatch latch = gate;
      if (latch != null) {
        latch.await();
      }
    } catch (InterruptedException e) {
      throw new InterruptedIOException(target.toString());
    } finally {
      unmounting.decrementAndGet();
    }
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

package sluice.snapshotter.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import sluice.core.LazyDevice;
import sluice.core.RootfsMounter;

/** Mounts by noting what is mounted where. */
final class FakeMounter implements RootfsMounter {

  final Map<Path, Path> images = new ConcurrentHashMap<>();
  final AtomicInteger mounts = new AtomicInteger();

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
      public void close() {
        images.remove(target);
      }
    };
  }

  @Override
  public void close() {
    images.clear();
  }
}

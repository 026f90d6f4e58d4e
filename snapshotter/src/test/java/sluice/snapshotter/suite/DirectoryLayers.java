package sluice.snapshotter.suite;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.Repository;
import sluice.snapshotter.state.FallbackKind;
import sluice.snapshotter.state.LayerRequest;
import sluice.snapshotter.state.LazyLayer;
import sluice.snapshotter.state.LazyLayers;
import sluice.snapshotter.state.LazyRun;
import sluice.snapshotter.state.Usage;
import sluice.testing.Mounted;

/**
 * Lazy layers without a registry: the layer with chain ID {@code sha256:X…} is the directory {@code
 * remote/X} with eight digits, in overlayfs' form, and a run is a read-only overlay of its layers.
 */
final class DirectoryLayers implements LazyLayers {

  private final Path remote;
  private final Path mountpoints;
  private final Map<LazyRun, Path> mounted = new HashMap<>();
  private final Set<Digest> broken = new HashSet<>();
  private final AtomicInteger openPins = new AtomicInteger();
  private final Set<Digest> stalled = ConcurrentHashMap.newKeySet();
  private final CountDownLatch gaveUp = new CountDownLatch(1);
  private int mounts;

  DirectoryLayers(Path remote, Path mountpoints) {
    this.remote = remote;
    this.mountpoints = mountpoints;
  }

  Path layer(Digest chainId) {
    return remote.resolve(chainId.hex().substring(0, 8));
  }

  /** From now on, what holds this layer cannot be mounted. */
  synchronized void breakLayer(Digest chainId) {
    broken.add(chainId);
  }

  synchronized int mountedRuns() {
    return mounted.size();
  }

  int openPins() {
    return openPins.get();
  }

  /** From now on, preparing this layer waits until its caller gives up. */
  void stall(Digest chainId) {
    stalled.add(chainId);
  }

  /** Whether a stalled caller gave up; waits for one. */
  boolean gaveUp() throws InterruptedException {
    return gaveUp.await(30, TimeUnit.SECONDS);
  }

  @Override
  public Outcome prepare(LayerRequest request) throws InterruptedException {
    if (stalled.remove(request.chainId())) {
      try {
        new CountDownLatch(1).await();
      } catch (InterruptedException e) {
        gaveUp.countDown();
        throw e;
      }
    }
    if (!Files.isDirectory(layer(request.chainId()))) {
      return new Outcome.Fallback(
          FallbackKind.UNSUPPORTED, "there is no directory for layer " + request.chainId());
    }
    Digest digest = Digest.sha256(new byte[0]);
    Repository repository = new Repository.InRegistry("registry.test", "image");
    LazyLayer layer =
        new LazyLayer(
            request.chainId(),
            request.chainId(),
            new Descriptor("application/vnd.oci.image.layer.v1.tar", digest, 0),
            Set.of(repository),
            digest,
            "directory",
            null,
            null,
            "registry.test/image:latest");
    return new Outcome.Lazy(layer, pin());
  }

  private Pin pin() {
    openPins.incrementAndGet();
    return openPins::decrementAndGet;
  }

  @Override
  public void named(LazyLayer layer, LayerRequest request) {}

  @Override
  public synchronized Rootfs mount(LazyRun run) throws IOException {
    if (run.layers().stream().anyMatch(layer -> broken.contains(layer.chainId()))) {
      throw new IOException("its tree is damaged");
    }
    Path rootfs = mounted.get(run);
    if (rootfs == null) {
      Path mountpoint = Files.createDirectories(mountpoints.resolve(Integer.toString(mounts++)));
      rootfs = Files.createDirectories(mountpoint.resolve("fs"));
      mountOverlay(run, rootfs);
      mounted.put(run, rootfs);
    }
    return new Rootfs(rootfs, pin());
  }

  private void mountOverlay(LazyRun run, Path rootfs) throws IOException {
    List<Path> layers = run.layers().reversed().stream().map(l -> layer(l.chainId())).toList();
    if (layers.size() == 1) {
      Mounted.run(Path.of("/"), "mount", "--bind", layers.getFirst().toString(), rootfs.toString());
    } else {
      String lowers = layers.stream().map(Path::toString).collect(Collectors.joining(":"));
      Mounted.overlay(rootfs, List.of("lowerdir=" + lowers));
    }
  }

  @Override
  public Usage usage(LazyLayer layer) {
    return new Usage(12345, 1);
  }

  @Override
  public void retain(NeededQuery needed) throws IOException {
    Needed live = needed.get();
    synchronized (this) {
      for (Map.Entry<LazyRun, Path> entry : Map.copyOf(mounted).entrySet()) {
        if (!live.mounted().contains(entry.getKey()) && openPins.get() == 0) {
          Mounted.run(Path.of("/"), "umount", entry.getValue().toString());
          mounted.remove(entry.getKey());
        }
      }
    }
  }

  @Override
  public void restore(Needed needed) {
    for (LazyRun run : needed.mounted()) {
      try {
        mount(run).pin().close();
      } catch (IOException e) {
        breakLayer(run.top().chainId());
      }
    }
  }

  synchronized void unmountAll() throws IOException {
    for (Path rootfs : mounted.values()) {
      Mounted.run(Path.of("/"), "umount", "-l", rootfs.toString());
    }
    mounted.clear();
  }
}

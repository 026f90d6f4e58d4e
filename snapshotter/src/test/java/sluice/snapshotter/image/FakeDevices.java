package sluice.snapshotter.image;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import sluice.core.DeviceId;
import sluice.core.DeviceIndex;
import sluice.core.DeviceStore;
import sluice.core.Lane;
import sluice.core.LazyDevice;
import sluice.core.Repository;

/** Devices that are only names. */
final class FakeDevices implements DeviceStore {

  static final long OCCUPIED = 4096;

  final Map<DeviceId, Set<Repository>> devices = new LinkedHashMap<>();
  final AtomicInteger opening = new AtomicInteger();
  private volatile @Nullable IOException failure;
  private volatile @Nullable CountDownLatch gate;

  /** Makes every opening of a device fail from now on; null mends it. */
  void failToOpen(@Nullable IOException with) {
    failure = with;
  }

  /** A device that holds nothing. */
  private record Empty(DeviceId id, long lengthBytes) implements LazyDevice {
    @Override
    public Path file() {
      return Path.of("/nowhere");
    }

    @Override
    public boolean present(long offset, long length) {
      return true;
    }

    @Override
    public void ensure(long offset, long length, Lane lane) {}
  }

  /** Makes every opening of a device wait until the result is counted down. */
  CountDownLatch holdOpening() {
    CountDownLatch latch = new CountDownLatch(1);
    gate = latch;
    return latch;
  }

  @Override
  public synchronized LazyDevice add(DeviceIndex index, Set<Repository> holders) {
    DeviceId id = new DeviceId(index.blob().hex());
    addHolders(id, holders);
    return new Empty(id, index.lengthBytes());
  }

  @Override
  public LazyDevice open(DeviceId id) throws IOException {
    opening.incrementAndGet();
    try {
      CountDownLatch latch = gate;
      if (latch != null) {
        latch.await();
      }
    } catch (InterruptedException e) {
      throw new InterruptedIOException(id.toString());
    } finally {
      opening.decrementAndGet();
    }
    IOException failing = failure;
    if (failing != null) {
      throw failing;
    }
    return known(id);
  }

  private synchronized LazyDevice known(DeviceId id) throws NoSuchFileException {
    if (!devices.containsKey(id)) {
      throw new NoSuchFileException(id.toString());
    }
    return new Empty(id, 0);
  }

  @Override
  public synchronized void addHolders(DeviceId id, Set<Repository> holders) {
    devices.computeIfAbsent(id, key -> new HashSet<>()).addAll(holders);
  }

  @Override
  public Staged stage() {
    throw new AssertionError("no layer of these tests is staged");
  }

  @Override
  public long occupiedBytes(DeviceId id) {
    return OCCUPIED;
  }

  @Override
  public synchronized void retain(Collection<DeviceId> live) {
    devices.keySet().retainAll(Set.copyOf(live));
  }
}

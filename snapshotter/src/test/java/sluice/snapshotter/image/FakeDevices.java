package sluice.snapshotter.image;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
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

  /** Every opening of a device passes it. */
  final Gate opening = new Gate();

  /** Whoever adds holders passes it. */
  final Gate adding = new Gate();

  private volatile @Nullable IOException failure;

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

  @Override
  public synchronized LazyDevice add(DeviceIndex index, Set<Repository> holders) {
    DeviceId id = new DeviceId(index.blob().hex());
    put(id, holders);
    return new Empty(id, index.lengthBytes());
  }

  @Override
  public LazyDevice open(DeviceId id) throws IOException {
    opening.pass();
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
  public void addHolders(DeviceId id, Set<Repository> holders) throws IOException {
    adding.pass();
    put(id, holders);
  }

  private synchronized void put(DeviceId id, Set<Repository> holders) {
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

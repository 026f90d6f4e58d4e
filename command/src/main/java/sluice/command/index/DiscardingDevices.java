package sluice.command.index;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Set;
import sluice.core.DeviceId;
import sluice.core.DeviceIndex;
import sluice.core.DeviceStore;
import sluice.core.Digest;
import sluice.core.Lane;
import sluice.core.LazyDevice;
import sluice.core.Repository;

/** Devices of layers that stream only to be indexed: nothing of them is kept. */
final class DiscardingDevices implements DeviceStore {

  /** A device that nobody can read. */
  private record Discarded(DeviceId id, long lengthBytes) implements LazyDevice {
    @Override
    public Path file() {
      throw new UnsupportedOperationException("nothing of it was kept");
    }

    @Override
    public boolean present(long offset, long length) {
      return false;
    }

    @Override
    public void ensure(long offset, long length, Lane lane) {
      throw new UnsupportedOperationException("nothing of it was kept");
    }
  }

  @Override
  public Staged stage() {
    return new Staged() {
      @Override
      public void write(ByteBuffer data, long deviceOffset) {
        data.position(data.limit());
      }

      @Override
      public LazyDevice finish(DeviceIndex index, Set<Repository> holders) {
        DeviceId id = new DeviceId(Digest.sha256(new byte[0]).hex());
        return new Discarded(id, index.lengthBytes());
      }

      @Override
      public void close() {}
    };
  }

  @Override
  public LazyDevice add(DeviceIndex index, Set<Repository> holders) {
    throw new UnsupportedOperationException("layers are streamed here");
  }

  @Override
  public LazyDevice open(DeviceId id) {
    throw new UnsupportedOperationException("nothing is kept");
  }

  @Override
  public void addHolders(DeviceId id, Set<Repository> holders) {
    throw new UnsupportedOperationException("nothing is kept");
  }

  @Override
  public long occupiedBytes(DeviceId id) {
    return 0;
  }

  @Override
  public void retain(Collection<DeviceId> live) {
    throw new UnsupportedOperationException("nothing is kept");
  }
}

package sluice.formats.testing;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import sluice.core.Chunk;
import sluice.core.DeviceId;
import sluice.core.DeviceIndex;
import sluice.core.DeviceStore;
import sluice.core.Digest;
import sluice.core.Lane;
import sluice.core.LazyDevice;
import sluice.core.Repository;

/**
 * Devices whose bytes are all staged: each is a file in a directory, with the index that describes
 * it. For one thread.
 */
public final class PlainDevices implements DeviceStore {

  private final Path directory;
  private final Map<DeviceId, Device> devices = new HashMap<>();
  private int staged;
  private @Nullable IOException writeFailure;

  /** Keeps devices in {@code directory}, which is there. */
  public PlainDevices(Path directory) {
    this.directory = directory;
  }

  /** Lets every write fail from now on, as a full disk would. */
  public PlainDevices failingWrites(IOException failure) {
    writeFailure = failure;
    return this;
  }

  /** A device with what it was described as. */
  public record Device(DeviceId id, Path file, DeviceIndex index) implements LazyDevice {
    @Override
    public long lengthBytes() {
      return index.lengthBytes();
    }

    @Override
    public boolean present(long offset, long length) {
      return true;
    }

    @Override
    public void ensure(long offset, long length, Lane lane) {}
  }

  @Override
  public LazyDevice add(DeviceIndex index, Set<Repository> holders) {
    throw new AssertionError("an ordinary layer stages its device");
  }

  @Override
  public Device open(DeviceId id) throws IOException {
    Device device = devices.get(id);
    if (device == null) {
      throw new NoSuchFileException(id.hex());
    }
    return device;
  }

  @Override
  public void addHolders(DeviceId id, Set<Repository> holders) {}

  @Override
  public Staged stage() throws IOException {
    Path file = directory.resolve("s" + staged++);
    return new StagedFile(file, FileChannel.open(file, CREATE_NEW, READ, WRITE));
  }

  @Override
  public long occupiedBytes(DeviceId id) throws IOException {
    return Files.size(open(id).file());
  }

  @Override
  public void retain(Collection<DeviceId> live) {
    devices.keySet().retainAll(live);
  }

  private final class StagedFile implements Staged {
    private final Path file;
    private final FileChannel channel;
    private boolean finished;

    StagedFile(Path file, FileChannel channel) {
      this.file = file;
      this.channel = channel;
    }

    @Override
    public void write(ByteBuffer data, long deviceOffset) throws IOException {
      if (writeFailure != null) {
        throw writeFailure;
      }
      long at = deviceOffset;
      while (data.hasRemaining()) {
        at += channel.write(data, at);
      }
    }

    @Override
    public LazyDevice finish(DeviceIndex index, Set<Repository> holders) throws IOException {
      if (channel.size() > index.lengthBytes()) {
        throw new AssertionError("written up to " + channel.size() + ", index says " + index);
      }
      if (channel.size() < index.lengthBytes()) {
        channel.write(ByteBuffer.allocate(1), index.lengthBytes() - 1);
      }
      StringBuilder table = new StringBuilder(index.blob().toString());
      for (Chunk chunk : index.chunks()) {
        table.append(chunk);
      }
      DeviceId id = new DeviceId(Digest.sha256(table.toString().getBytes(UTF_8)).hex());
      Device device = new Device(id, file, index);
      devices.put(id, device);
      finished = true;
      return device;
    }

    @Override
    public void close() throws IOException {
      channel.close();
      if (!finished) {
        Files.delete(file);
      }
    }
  }
}

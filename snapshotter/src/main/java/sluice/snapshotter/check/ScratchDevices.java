package sluice.snapshotter.check;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import sluice.core.CorruptException;
import sluice.core.DeviceId;
import sluice.core.DeviceIndex;
import sluice.core.DeviceStore;
import sluice.core.Digest;
import sluice.core.Lane;
import sluice.core.LazyDevice;
import sluice.core.Repository;

/** Devices that are streamed, read once, and deleted when this is closed. For one thread. */
final class ScratchDevices implements DeviceStore, Closeable {

  private final Path directory;
  private final long limitBytes;
  private final long roomBytes;
  private final List<Complete> devices = new ArrayList<>();
  private int staged;
  private long writtenBytes;

  /**
   * @param directory an existing directory; stays
   * @param limitBytes what one device may hold; more is a fault of the layer
   * @param roomBytes what all of them may take of the disk; more is nobody's fault
   */
  ScratchDevices(Path directory, long limitBytes, long roomBytes) {
    this.directory = directory;
    this.limitBytes = limitBytes;
    this.roomBytes = roomBytes;
  }

  /** A device of which every byte is there. */
  private record Complete(DeviceId id, Path file, long lengthBytes) implements LazyDevice {
    @Override
    public boolean present(long offset, long length) {
      return true;
    }

    @Override
    public void ensure(long offset, long length, Lane lane) {}
  }

  @Override
  public Staged stage() throws IOException {
    Path file = directory.resolve("device-" + staged++);
    return new Writing(
        file, FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE));
  }

  @Override
  public LazyDevice open(DeviceId id) {
    return devices.stream()
        .filter(device -> device.id.equals(id))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("no device " + id));
  }

  @Override
  public LazyDevice add(DeviceIndex index, Set<Repository> holders) {
    throw new UnsupportedOperationException("only what is streamed is compared with");
  }

  @Override
  public void addHolders(DeviceId id, Set<Repository> holders) {
    throw new UnsupportedOperationException("nothing is fetched here");
  }

  @Override
  public long occupiedBytes(DeviceId id) {
    return open(id).lengthBytes();
  }

  @Override
  public void retain(Collection<DeviceId> live) {
    throw new UnsupportedOperationException("all of them go when this is closed");
  }

  @Override
  public void close() throws IOException {
    for (Complete device : devices) {
      Files.deleteIfExists(device.file);
    }
  }

  private final class Writing implements Staged {
    private final Path file;
    private final FileChannel data;
    private long ownBytes;
    private boolean finished;

    Writing(Path file, FileChannel data) {
      this.file = file;
      this.data = data;
    }

    @Override
    public void write(ByteBuffer bytes, long deviceOffset) throws IOException {
      if (deviceOffset + bytes.remaining() > limitBytes) {
        throw new CorruptException(
            "files of more than %d bytes, which is more than its index shows".formatted(limitBytes),
            "layer",
            -1);
      }
      writtenBytes += bytes.remaining();
      ownBytes += bytes.remaining();
      if (writtenBytes > roomBytes) {
        throw new IOException(
            "the layer unpacks to more than the %d bytes that may be taken of the disk below %s"
                .formatted(roomBytes, directory));
      }
      long at = deviceOffset;
      while (bytes.hasRemaining()) {
        at += data.write(bytes, at);
      }
    }

    @Override
    public LazyDevice finish(DeviceIndex index, Set<Repository> holders) throws IOException {
      data.close();
      finished = true;
      DeviceId id = new DeviceId(Digest.sha256(file.toString().getBytes(UTF_8)).hex());
      Complete device = new Complete(id, file, index.lengthBytes());
      devices.add(device);
      return device;
    }

    @Override
    public void close() throws IOException {
      data.close();
      if (!finished) {
        Files.deleteIfExists(file);
        writtenBytes -= ownBytes;
        ownBytes = 0;
      }
    }
  }
}

package sluice.cache;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import sluice.core.DeviceIndex;
import sluice.core.DeviceStore;
import sluice.core.LazyDevice;
import sluice.core.Repository;

/** A device that is written before its chunks are known, in a directory of its own. */
final class StagedDevice implements DeviceStore.Staged {
  private final ChunkCache cache;
  private final Path directory;
  private final FileChannel data;

  private StagedDevice(ChunkCache cache, Path directory, FileChannel data) {
    this.cache = cache;
    this.directory = directory;
    this.data = data;
  }

  static StagedDevice begin(ChunkCache cache, Path directory) throws IOException {
    FileChannel data =
        FileChannel.open(
            directory.resolve(DeviceFiles.DATA),
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.WRITE);
    return new StagedDevice(cache, directory, data);
  }

  @Override
  public void write(ByteBuffer bytes, long deviceOffset) throws IOException {
    checkOpen();
    Disk.write(data, bytes, deviceOffset);
  }

  @Override
  public LazyDevice finish(DeviceIndex index, Set<Repository> holders) throws IOException {
    checkOpen();
    data.close();
    return cache.publish(directory, index, holders, true);
  }

  private void checkOpen() {
    if (!data.isOpen()) {
      throw new IllegalStateException("staged device in " + directory + " is finished or closed");
    }
  }

  @Override
  public void close() throws IOException {
    data.close();
    // Nothing is there any more if the directory became the device.
    Disk.deleteTree(directory);
  }
}

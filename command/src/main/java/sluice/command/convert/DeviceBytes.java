package sluice.command.convert;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import sluice.core.DeviceId;
import sluice.core.DeviceStore;
import sluice.core.Lane;
import sluice.core.LazyDevice;
import sluice.erofs.DeviceSlot;
import sluice.erofs.MetadataImage;
import sluice.formats.rafs.RafsConverter;

/** Reads the devices of a merged image, whose slots are named by the ids of devices in a store. */
final class DeviceBytes implements RafsConverter.DeviceReader, Closeable {

  private final List<LazyDevice> devices = new ArrayList<>();
  private final List<FileChannel> files = new ArrayList<>();

  private DeviceBytes() {}

  static DeviceBytes open(MetadataImage image, DeviceStore store) throws IOException {
    DeviceBytes bytes = new DeviceBytes();
    try {
      for (DeviceSlot slot : image.devices()) {
        LazyDevice device = store.open(new DeviceId(slot.tag()));
        bytes.devices.add(device);
        bytes.files.add(FileChannel.open(device.file(), StandardOpenOption.READ));
      }
      return bytes;
    } catch (IOException | RuntimeException e) {
      try (bytes) {
        throw e;
      }
    }
  }

  @Override
  public void read(int device, long offset, ByteBuffer into)
      throws IOException, InterruptedException {
    devices.get(device).ensure(offset, into.remaining(), Lane.DEMAND);
    FileChannel file = files.get(device);
    long position = offset;
    while (into.hasRemaining()) {
      int count = file.read(into, position);
      if (count < 0) {
        throw new EOFException(
            "%s: ends at byte %d, %d more expected"
                .formatted(devices.get(device).file(), position, into.remaining()));
      }
      position += count;
    }
  }

  @Override
  public void close() throws IOException {
    IOException failure = null;
    for (FileChannel file : files) {
      try {
        file.close();
      } catch (IOException e) {
        failure = e;
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}

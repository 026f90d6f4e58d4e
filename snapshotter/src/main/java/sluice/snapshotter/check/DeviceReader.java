package sluice.snapshotter.check;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.List;
import sluice.core.CorruptException;
import sluice.core.Lane;
import sluice.core.LazyDevice;
import sluice.erofs.Inode;
import sluice.erofs.Mapping;
import sluice.erofs.MetadataImage;

/** Reads files of a tree from its devices, with what bandwidth others leave. For one thread. */
final class DeviceReader implements Closeable {

  private final MetadataImage image;
  private final List<LazyDevice> devices;
  private final List<FileChannel> files = new ArrayList<>();

  private DeviceReader(MetadataImage image, List<LazyDevice> devices) {
    this.image = image;
    this.devices = devices;
  }

  /** Opens the devices' files; the image stays the caller's. */
  static DeviceReader open(MetadataImage image, List<LazyDevice> devices) throws IOException {
    DeviceReader reader = new DeviceReader(image, List.copyOf(devices));
    try {
      for (LazyDevice device : devices) {
        reader.files.add(FileChannel.open(device.file()));
      }
      return reader;
    } catch (IOException e) {
      try (reader) {
        throw e;
      }
    }
  }

  /** Fills {@code into} with the file's bytes from {@code offset} on; it has that many. */
  void read(Inode file, long offset, ByteBuffer into) throws IOException, InterruptedException {
    long at = offset;
    while (into.hasRemaining()) {
      Mapping mapping = image.map(file, at);
      int length = (int) Math.min(mapping.lengthBytes(), into.remaining());
      ByteBuffer piece = into.slice(into.position(), length);
      switch (mapping.device()) {
        case Mapping.ZEROS -> zeros(piece);
        case Mapping.IMAGE ->
            throw new CorruptException("data in the metadata image", image.toString(), -1);
        default -> read(mapping, piece);
      }
      into.position(into.position() + length);
      at += length;
    }
  }

  private void read(Mapping mapping, ByteBuffer piece) throws IOException, InterruptedException {
    LazyDevice device = devices.get(mapping.device());
    device.ensure(mapping.deviceOffset(), piece.remaining(), Lane.FILL);
    FileChannel file = files.get(mapping.device());
    long at = mapping.deviceOffset();
    while (piece.hasRemaining()) {
      int count = file.read(piece, at);
      if (count < 0) {
        // A device that was streamed ends with its last byte, the last block of it is zeros.
        zeros(piece);
        return;
      }
      at += count;
    }
  }

  private static void zeros(ByteBuffer piece) {
    while (piece.hasRemaining()) {
      piece.put((byte) 0);
    }
  }

  @Override
  public void close() throws IOException {
    for (FileChannel file : files) {
      file.close();
    }
  }
}

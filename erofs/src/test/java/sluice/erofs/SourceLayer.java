package sluice.erofs;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import sluice.core.Bytes;
import sluice.testing.TreeEntry;
import sluice.testing.TreeListing;

/** A real directory as the tree of a layer, its files' data laid out in one device file. */
final class SourceLayer {

  static final String TAG = "0".repeat(63) + "1";

  private final LayerTree tree = new LayerTree("test source");
  private final Path device;
  private long deviceBytes;

  private SourceLayer(Path device) {
    this.device = device;
  }

  /** Lists {@code directory}, whose names must be text for Java, and writes {@code device}. */
  static SourceLayer of(Path directory, Path device) throws IOException {
    SourceLayer layer = new SourceLayer(device);
    Map<Bytes, Bytes> first = new HashMap<>();
    try (FileChannel data =
        FileChannel.open(device, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      for (Map.Entry<Bytes, TreeEntry> entry : TreeListing.of(directory).entries().entrySet()) {
        layer.add(directory, entry.getKey(), entry.getValue(), first, data);
      }
      data.truncate(layer.deviceBytes);
      if (data.size() < layer.deviceBytes) {
        data.write(ByteBuffer.allocate(1), layer.deviceBytes - 1);
      }
    }
    return layer;
  }

  private void add(
      Path directory, Bytes path, TreeEntry entry, Map<Bytes, Bytes> first, FileChannel data)
      throws IOException {
    Attributes attributes = attributes(entry);
    Bytes same = first.putIfAbsent(entry.same(), path);
    if (same != null) {
      tree.hardLink(path, same, attributes);
      return;
    }
    switch (entry.type()) {
      case DIR -> tree.directory(path, attributes);
      case FILE ->
          tree.file(path, attributes, content(directory.resolve(path.toString()), entry, data));
      case LINK -> tree.symlink(path, attributes, Objects.requireNonNull(entry.target()));
      case CHAR, BLOCK, FIFO, SOCKET -> tree.special(path, attributes, rdev(entry));
    }
  }

  private FileContent content(Path file, TreeEntry entry, FileChannel data) throws IOException {
    long start = deviceBytes;
    try (FileChannel from = FileChannel.open(file, StandardOpenOption.READ)) {
      data.position(start);
      long done = 0;
      while (done < entry.size()) {
        done += from.transferTo(done, entry.size() - done, data);
      }
    }
    deviceBytes += (entry.size() + 4095) & -4096;
    return FileContent.contiguous(entry.size(), 0, start);
  }

  private static long rdev(TreeEntry entry) {
    TreeEntry.DeviceNumber device = entry.device();
    return device == null
        ? 0
        : new DeviceNumber((int) device.major(), (int) device.minor()).encoded();
  }

  private static Attributes attributes(TreeEntry entry) {
    int type =
        switch (entry.type()) {
          case DIR -> FileType.DIRECTORY.modeBits();
          case FILE -> FileType.REGULAR.modeBits();
          case LINK -> FileType.SYMLINK.modeBits();
          case CHAR -> FileType.CHARACTER.modeBits();
          case BLOCK -> FileType.BLOCK.modeBits();
          case FIFO -> FileType.FIFO.modeBits();
          case SOCKET -> FileType.SOCKET.modeBits();
        };
    var time = Objects.requireNonNull(entry.mtime());
    return new Attributes(
        type | entry.mode(),
        entry.uid(),
        entry.gid(),
        time.seconds(),
        time.nanos(),
        entry.xattrs());
  }

  LayerTree tree() {
    return tree;
  }

  Path device() {
    return device;
  }

  List<DeviceSlot> slots() {
    return List.of(new DeviceSlot(TAG, deviceBytes));
  }
}

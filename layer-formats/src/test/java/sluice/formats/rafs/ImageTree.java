package sluice.formats.rafs;

import java.io.IOException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import sluice.core.Bytes;
import sluice.core.DeviceId;
import sluice.core.Digest;
import sluice.erofs.DeviceNumber;
import sluice.erofs.Inode;
import sluice.erofs.Mapping;
import sluice.erofs.MetadataImage;
import sluice.testing.FileType;
import sluice.testing.Timestamp;
import sluice.testing.Tree;
import sluice.testing.TreeEntry;

/** The tree that a metadata image and its devices show, every file read and hashed. */
final class ImageTree {
  private final MetadataImage image;
  private final MemoryDevices devices;
  private final List<DeviceId> ids;
  private final SortedMap<Bytes, Inode> inodes = new TreeMap<>();

  private ImageTree(MetadataImage image, MemoryDevices devices, List<DeviceId> ids) {
    this.ids = ids;
    this.image = image;
    this.devices = devices;
  }

  /** Reads everything; {@code ids} are the devices of the image's slots. */
  static Tree read(MetadataImage image, MemoryDevices devices, List<DeviceId> ids)
      throws IOException, InterruptedException {
    ImageTree tree = new ImageTree(image, devices, ids);
    tree.walk(image.rootNid(), Bytes.EMPTY);
    SortedMap<Bytes, TreeEntry> entries = tree.read();
    return () -> entries;
  }

  private void walk(long nid, Bytes path) throws IOException {
    Inode inode = image.inode(nid);
    inodes.put(path, inode);
    if (!inode.isDirectory()) {
      return;
    }
    List<Bytes> names = new ArrayList<>();
    image.list(inode, 0, (cookie, child, type, name) -> names.add(name));
    for (Bytes name : names) {
      if (!name.equals(Bytes.utf8(".")) && !name.equals(Bytes.utf8(".."))) {
        walk(image.lookup(nid, name), join(path, name));
      }
    }
  }

  private static Bytes join(Bytes path, Bytes name) {
    if (path.length() == 0) {
      return name;
    }
    byte[] joined = new byte[path.length() + 1 + name.length()];
    path.asBuffer().get(joined, 0, path.length());
    joined[path.length()] = '/';
    name.asBuffer().get(joined, path.length() + 1, name.length());
    return Bytes.of(joined);
  }

  private SortedMap<Bytes, TreeEntry> read() throws IOException, InterruptedException {
    Map<Long, Bytes> first = new HashMap<>();
    SortedMap<Bytes, TreeEntry> entries = new TreeMap<>();
    for (Map.Entry<Bytes, Inode> each : inodes.entrySet()) {
      Inode inode = each.getValue();
      first.putIfAbsent(inode.nid(), each.getKey());
      FileType type = FileType.ofMode(inode.mode());
      boolean device = type == FileType.CHAR || type == FileType.BLOCK;
      DeviceNumber number = DeviceNumber.decode(inode.rdev());
      entries.put(
          each.getKey(),
          new TreeEntry(
              type,
              inode.mode() & 07777,
              inode.uid(),
              inode.gid(),
              type == FileType.FILE ? inode.sizeBytes() : 0,
              new Timestamp(inode.mtimeSeconds(), inode.mtimeNanos()),
              type == FileType.LINK ? image.linkTarget(inode) : null,
              device ? new TreeEntry.DeviceNumber(number.major(), number.minor()) : null,
              type == FileType.DIR ? 1 : inode.nlink(),
              type == FileType.DIR ? each.getKey() : first.get(inode.nid()),
              image.xattrs(inode),
              type == FileType.FILE ? content(inode) : null));
    }
    return entries;
  }

  private Digest content(Inode file) throws IOException, InterruptedException {
    MessageDigest hash = Digest.sha256();
    long offset = 0;
    while (offset < file.sizeBytes()) {
      Mapping mapping = image.map(file, offset);
      int length = Math.toIntExact(mapping.lengthBytes());
      hash.update(
          mapping.device() == Mapping.ZEROS
              ? new byte[length]
              : devices.read(ids.get(mapping.device()), mapping.deviceOffset(), length));
      offset += length;
    }
    return Digest.of(Digest.Algorithm.SHA256, hash.digest());
  }
}

package sluice.formats.testing;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import sluice.core.Bytes;
import sluice.core.DeviceId;
import sluice.core.DeviceStore;
import sluice.core.Digest;
import sluice.erofs.DeviceNumber;
import sluice.erofs.DeviceSlot;
import sluice.erofs.Inode;
import sluice.erofs.Mapping;
import sluice.erofs.MetadataImage;
import sluice.testing.FileType;
import sluice.testing.Timestamp;
import sluice.testing.Tree;
import sluice.testing.TreeEntry;

/** The tree of a merged metadata image, with content that is read from its devices. */
public final class ImageTree implements Tree {

  /** The directory that holds the root file system. */
  private static final Bytes ROOT = Bytes.utf8("fs");

  private static final int BUFFER_BYTES = 1 << 20;

  private final SortedMap<Bytes, TreeEntry> entries;

  private ImageTree(SortedMap<Bytes, TreeEntry> entries) {
    this.entries = entries;
  }

  /** Reads all of an image that is merged. */
  public static ImageTree of(Path merged, DeviceStore devices) throws IOException {
    try (MetadataImage image = MetadataImage.open(merged)) {
      List<Path> files = new ArrayList<>();
      for (DeviceSlot slot : image.devices()) {
        files.add(devices.open(new DeviceId(slot.tag())).file());
      }
      Walk walk = new Walk(image, files);
      walk.visit(Bytes.EMPTY, image.lookup(image.rootNid(), ROOT));
      return new ImageTree(Collections.unmodifiableSortedMap(walk.entries()));
    }
  }

  @Override
  public SortedMap<Bytes, TreeEntry> entries() {
    return entries;
  }

  /** One walk through an image. */
  private static final class Walk {
    private final MetadataImage image;
    private final List<Path> files;
    private final SortedMap<Bytes, Inode> inodes = new TreeMap<>();

    Walk(MetadataImage image, List<Path> files) {
      this.image = image;
      this.files = files;
    }

    void visit(Bytes path, long nid) throws IOException {
      Inode inode = image.inode(nid);
      inodes.put(path, inode);
      if (inode.isDirectory()) {
        SortedMap<Bytes, Long> children = new TreeMap<>();
        image.list(
            inode,
            0,
            (next, child, type, name) -> {
              children.put(name, child);
              return true;
            });
        children.remove(Bytes.utf8("."));
        children.remove(Bytes.utf8(".."));
        for (Map.Entry<Bytes, Long> child : children.entrySet()) {
          visit(join(path, child.getKey()), child.getValue());
        }
      }
    }

    /** What was visited, each with the first of all names of its inode. */
    SortedMap<Bytes, TreeEntry> entries() throws IOException {
      Map<Long, Bytes> first = new HashMap<>();
      SortedMap<Bytes, TreeEntry> entries = new TreeMap<>();
      for (Map.Entry<Bytes, Inode> visited : inodes.entrySet()) {
        Inode inode = visited.getValue();
        Bytes path = visited.getKey();
        Bytes same = first.computeIfAbsent(inode.nid(), nid -> path);
        entries.put(path, entry(inode, same));
      }
      return entries;
    }

    private TreeEntry entry(Inode inode, Bytes same) throws IOException {
      FileType type = FileType.ofMode(inode.mode());
      return new TreeEntry(
          type,
          inode.mode() & 07777,
          inode.uid(),
          inode.gid(),
          type == FileType.FILE ? inode.sizeBytes() : 0,
          new Timestamp(inode.mtimeSeconds(), inode.mtimeNanos()),
          type == FileType.LINK ? image.linkTarget(inode) : null,
          device(type, inode.rdev()),
          type == FileType.DIR ? 1 : inode.nlink(),
          same,
          image.xattrs(inode),
          type == FileType.FILE ? content(inode) : null);
    }

    private Digest content(Inode file) throws IOException {
      MessageDigest sha256 = Digest.sha256();
      for (long at = 0; at < file.sizeBytes(); ) {
        Mapping mapping = image.map(file, at);
        long length = Math.min(mapping.lengthBytes(), file.sizeBytes() - at);
        update(sha256, mapping, length);
        at += length;
      }
      return Digest.of(Digest.Algorithm.SHA256, sha256.digest());
    }

    private void update(MessageDigest sha256, Mapping mapping, long length) throws IOException {
      byte[] buffer = new byte[BUFFER_BYTES];
      if (mapping.device() == Mapping.ZEROS) {
        for (long done = 0; done < length; done += buffer.length) {
          sha256.update(buffer, 0, (int) Math.min(buffer.length, length - done));
        }
        return;
      }
      try (FileChannel device = FileChannel.open(files.get(mapping.device()))) {
        for (long done = 0; done < length; ) {
          ByteBuffer into =
              ByteBuffer.wrap(buffer, 0, (int) Math.min(buffer.length, length - done));
          int read = device.read(into, mapping.deviceOffset() + done);
          if (read <= 0) {
            throw new IOException(mapping + " lies behind the end of its device");
          }
          sha256.update(buffer, 0, read);
          done += read;
        }
      }
    }
  }

  private static TreeEntry.@Nullable DeviceNumber device(FileType type, long rdev) {
    if (type != FileType.CHAR && type != FileType.BLOCK) {
      return null;
    }
    DeviceNumber number = DeviceNumber.decode(rdev);
    return new TreeEntry.DeviceNumber(number.major(), number.minor());
  }

  private static Bytes join(Bytes parent, Bytes name) {
    if (parent.length() == 0) {
      return name;
    }
    byte[] path = new byte[parent.length() + 1 + name.length()];
    parent.asBuffer().get(path, 0, parent.length());
    path[parent.length()] = '/';
    name.asBuffer().get(path, parent.length() + 1, name.length());
    return Bytes.of(path);
  }
}

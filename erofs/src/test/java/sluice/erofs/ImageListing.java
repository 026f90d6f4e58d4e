package sluice.erofs;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import sluice.core.Bytes;
import sluice.core.Digest;
import sluice.testing.Timestamp;
import sluice.testing.Tree;
import sluice.testing.TreeEntry;

/** The tree of an image as {@link MetadataImage} reads it, with the content from device files. */
final class ImageListing implements Tree {

  private static final int BUFFER_BYTES = 1 << 20;

  private final MetadataImage image;
  private final List<Path> devices;
  private final SortedMap<Bytes, TreeEntry> entries = new TreeMap<>();
  private final Map<Long, Bytes> first = new HashMap<>();

  private ImageListing(MetadataImage image, List<Path> devices) {
    this.image = image;
    this.devices = devices;
  }

  /** Lists the tree below {@code rootNid}. */
  static ImageListing of(MetadataImage image, long rootNid, List<Path> devices) throws IOException {
    ImageListing listing = new ImageListing(image, devices);
    listing.visit(Bytes.EMPTY, rootNid);
    return listing;
  }

  /** Reads all metadata of a sound image, but no content. */
  static void walk(MetadataImage image, long nid) throws IOException {
    Inode inode = image.inode(nid);
    image.xattrs(inode);
    if (!inode.isDirectory()) {
      return;
    }
    List<Long> children = new ArrayList<>();
    image.list(
        inode,
        0,
        (next, child, type, name) -> {
          if (!TreePath.isDot(name) && !TreePath.isDotDot(name)) {
            children.add(child);
          }
          return true;
        });
    for (long child : children) {
      walk(image, child);
    }
  }

  @Override
  public SortedMap<Bytes, TreeEntry> entries() {
    return entries;
  }

  private void visit(Bytes path, long nid) throws IOException {
    Inode inode = image.inode(nid);
    entries.put(path, entry(path, inode));
    if (!inode.isDirectory()) {
      return;
    }
    SortedMap<Bytes, Long> children = new TreeMap<>();
    image.list(
        inode,
        0,
        (next, child, type, name) -> {
          if (type != 0 && type != image.inode(child).type().linuxType()) {
            throw new AssertionError(name + ": d_type " + type);
          }
          if (image.lookup(nid, name) != child) {
            throw new AssertionError(name + ": not found by lookup");
          }
          children.put(name, child);
          return true;
        });
    if (children.remove(Bytes.utf8(".")) == null || children.remove(Bytes.utf8("..")) == null) {
      throw new AssertionError(path + ": no dot entries");
    }
    for (Map.Entry<Bytes, Long> child : children.entrySet()) {
      Bytes name = child.getKey();
      visit(path.length() == 0 ? name : TreePath.join(List.of(path, name)), child.getValue());
    }
  }

  private TreeEntry entry(Bytes path, Inode inode) throws IOException {
    FileType type = inode.type();
    boolean directory = type == FileType.DIRECTORY;
    for (Map.Entry<Bytes, Bytes> xattr : image.xattrs(inode).entrySet()) {
      if (!Objects.equals(image.xattr(inode, xattr.getKey()), xattr.getValue())) {
        throw new AssertionError(path + ": xattr " + xattr.getKey() + " is not found alone");
      }
    }
    return new TreeEntry(
        sluice.testing.FileType.ofMode(inode.mode()),
        inode.mode() & 07777,
        inode.uid(),
        inode.gid(),
        type == FileType.REGULAR ? inode.sizeBytes() : 0,
        new Timestamp(inode.mtimeSeconds(), inode.mtimeNanos()),
        type == FileType.SYMLINK ? image.linkTarget(inode) : null,
        device(inode),
        directory ? 1 : inode.nlink(),
        directory ? path : first.computeIfAbsent(inode.nid(), nid -> path),
        image.xattrs(inode),
        type == FileType.REGULAR ? content(inode) : null);
  }

  private static TreeEntry.@Nullable DeviceNumber device(Inode inode) {
    if (inode.type() != FileType.CHARACTER && inode.type() != FileType.BLOCK) {
      return null;
    }
    DeviceNumber number = DeviceNumber.decode(inode.rdev());
    return new TreeEntry.DeviceNumber(number.major(), number.minor());
  }

  private Digest content(Inode inode) throws IOException {
    MessageDigest sha256 = Digest.sha256();
    for (long at = 0; at < inode.sizeBytes(); ) {
      Mapping mapping = image.map(inode, at);
      if (mapping.lengthBytes() <= 0 || at + mapping.lengthBytes() > inode.sizeBytes()) {
        throw new AssertionError(inode + ": " + mapping);
      }
      digest(sha256, mapping);
      at += mapping.lengthBytes();
    }
    return Digest.of(Digest.Algorithm.SHA256, sha256.digest());
  }

  private void digest(MessageDigest sha256, Mapping mapping) throws IOException {
    for (long done = 0; done < mapping.lengthBytes(); ) {
      int length = (int) Math.min(BUFFER_BYTES, mapping.lengthBytes() - done);
      sha256.update(
          switch (mapping.device()) {
            case Mapping.ZEROS -> ByteBuffer.allocate(length);
            case Mapping.IMAGE -> image.bytes(mapping.deviceOffset() + done, length);
            default -> read(devices.get(mapping.device()), mapping.deviceOffset() + done, length);
          });
      done += length;
    }
  }

  /** Bytes after the end of the file are zeros: a device's length is rounded up to blocks. */
  private static ByteBuffer read(Path file, long offset, int length) throws IOException {
    ByteBuffer into = ByteBuffer.allocate(length);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      int count = 0;
      while (into.hasRemaining() && count >= 0) {
        count = channel.read(into, offset + into.position());
      }
    }
    return into.clear();
  }
}

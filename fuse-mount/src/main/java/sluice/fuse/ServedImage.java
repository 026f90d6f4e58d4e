package sluice.fuse;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import sluice.core.Bytes;
import sluice.core.CorruptException;
import sluice.core.LazyDevice;
import sluice.erofs.DeviceSlot;
import sluice.erofs.Inode;
import sluice.erofs.Mapping;
import sluice.erofs.MetadataImage;
import sluice.fuse.ReadOnlyFileSystem.EntryVisitor;

/**
 * One image as the file systems serve it: a mapped metadata image and the files of its devices.
 *
 * <p>The image lives until the last reference to it is dropped: one belongs to whoever mounted it,
 * the others are those that the kernel counts to its nodes.
 */
public final class ServedImage {

  private static final Bytes PARENT = Bytes.utf8("..");
  private static final Bytes SELF = Bytes.utf8(".");

  /** A seek looks at this many runs at most: it holds up a thread that serves all images. */
  private static final int MAX_SEEK_STEPS = 65_536;

  private final NodeNumbers numbers;
  private final String name;
  private final MetadataImage metadata;
  private final List<DeviceFile> devices;
  private final DeviceFiles files;
  private final AtomicLong references = new AtomicLong(1);
  private final AtomicBoolean closed = new AtomicBoolean();
  private final WaitingReads waiting = new WaitingReads();
  private final RateLimit failures = new RateLimit();

  private ServedImage(
      NodeNumbers numbers,
      String name,
      MetadataImage metadata,
      List<DeviceFile> devices,
      DeviceFiles files) {
    this.numbers = numbers;
    this.name = name;
    this.metadata = metadata;
    this.devices = devices;
    this.files = files;
  }

  /**
   * Opens an image as the tree of a directory of the node's file system.
   *
   * @param number above 0, never used before in that file system
   */
  static ServedImage open(
      int number, String name, Path metadataImage, List<LazyDevice> devices, DeviceFiles files)
      throws IOException {
    MetadataImage metadata = opened(metadataImage, devices);
    NodeNumbers numbers = NodeNumbers.ofDirectory(number, metadata.rootNid());
    return new ServedImage(numbers, name, metadata, files.acquire(devices), files);
  }

  /**
   * Opens an image as a file system of its own.
   *
   * @param root name of the directory of the image that is its root; empty for the image's own
   */
  static ServedImage openAlone(
      String name, Path metadataImage, List<LazyDevice> devices, Bytes root) throws IOException {
    MetadataImage metadata = opened(metadataImage, devices);
    long rootNid = metadata.rootNid();
    if (root.length() > 0) {
      rootNid = metadata.lookup(rootNid, root);
      if (rootNid == MetadataImage.NO_ENTRY) {
        metadata.close();
        throw new CorruptException(
            "metadata image: no directory \"" + root + "\" in its root",
            metadataImage.toString(),
            -1);
      }
    }
    DeviceFiles files = new DeviceFiles();
    return new ServedImage(
        NodeNumbers.ofFileSystem(rootNid), name, metadata, files.acquire(devices), files);
  }

  private static MetadataImage opened(Path file, List<LazyDevice> devices) throws IOException {
    MetadataImage metadata = MetadataImage.open(file);
    List<DeviceSlot> slots = metadata.devices();
    if (slots.size() != devices.size()) {
      metadata.close();
      throw new CorruptException(
          "device table: %d slots, expected %d".formatted(slots.size(), devices.size()),
          file.toString(),
          -1);
    }
    return metadata;
  }

  public String name() {
    return name;
  }

  /** The reads of this image that wait for data that is not local. */
  public WaitingReads waiting() {
    return waiting;
  }

  RateLimit failures() {
    return failures;
  }

  int number() {
    return numbers.image();
  }

  long rootNode() {
    return numbers.rootNode();
  }

  long rootIno() {
    return numbers.ino(numbers.rootNid());
  }

  /** Length of all devices in bytes. */
  long lengthBytes() {
    long sum = 0;
    for (DeviceFile file : devices) {
      sum += file.device().lengthBytes();
    }
    return sum;
  }

  NodeAttributes attributes(long node) throws IOException {
    Inode inode = inode(node);
    return new NodeAttributes(
        numbers.ino(inode.nid()),
        inode.mode(),
        inode.uid(),
        inode.gid(),
        inode.sizeBytes(),
        inode.mtimeSeconds(),
        inode.mtimeNanos(),
        (int) Math.min(inode.nlink(), Integer.MAX_VALUE),
        inode.rdev());
  }

  long lookup(long directory, Bytes entry) throws IOException {
    if (entry.equals(SELF)) {
      return directory;
    }
    if (directory == numbers.rootNode() && entry.equals(PARENT)) {
      return ReadOnlyFileSystem.ROOT_NODE;
    }
    long nid = metadata.lookup(numbers.nid(directory), entry);
    return nid == MetadataImage.NO_ENTRY ? ReadOnlyFileSystem.NO_NODE : node(nid);
  }

  void list(long directory, long cookie, EntryVisitor visitor) throws IOException {
    // The reader's visitors can't throw what ours can: carried past it.
    AtomicReference<@Nullable IOException> failed = new AtomicReference<>();
    metadata.list(
        inode(directory),
        cookie,
        (next, nid, type, entry) -> {
          try {
            return visitor.entry(next, node(nid), numbers.ino(nid), type, entry);
          } catch (IOException e) {
            failed.set(e);
            return false;
          }
        });
    IOException failure = failed.get();
    if (failure != null) {
      throw failure;
    }
  }

  Bytes linkTarget(long node) throws IOException {
    return metadata.linkTarget(inode(node));
  }

  Set<Bytes> xattrNames(long node) throws IOException {
    return metadata.xattrs(inode(node)).keySet();
  }

  @Nullable Bytes xattr(long node, Bytes attribute) throws IOException {
    return metadata.xattr(inode(node), attribute);
  }

  /** Whether a file of the image may have a POSIX ACL. */
  boolean holdsAcls() {
    return XattrAnswers.holdsAcls(metadata);
  }

  /** {@link #holdsAcls()} of an image that is not served yet. */
  public static boolean holdsAcls(Path metadataImage) throws IOException {
    try (MetadataImage metadata = MetadataImage.open(metadataImage)) {
      return XattrAnswers.holdsAcls(metadata);
    }
  }

  boolean supportsXattr(Bytes attribute) {
    return XattrAnswers.supports(metadata, attribute);
  }

  ReadPlan plan(long node, long offset, int lengthBytes) throws IOException {
    Inode inode = inode(node);
    int length = (int) Math.max(0, Math.min(lengthBytes, inode.sizeBytes() - offset));
    List<ReadPlan.Run> runs = new ArrayList<>(1);
    for (int done = 0; done < length; ) {
      Mapping mapping = metadata.map(inode, offset + done);
      int part = (int) Math.min(mapping.lengthBytes(), length - done);
      runs.add(run(inode, mapping, part));
      done += part;
    }
    return new ReadPlan(this, node, offset, length, runs);
  }

  private ReadPlan.Run run(Inode inode, Mapping mapping, int length) throws CorruptException {
    if (mapping.device() == Mapping.ZEROS) {
      return new ReadPlan.Run(null, 0, length);
    }
    if (mapping.device() == Mapping.IMAGE) {
      throw new CorruptException(
          "nid %d: data in the metadata image itself is not served".formatted(inode.nid()),
          "image " + name,
          mapping.deviceOffset());
    }
    DeviceFile file = devices.get(mapping.device());
    if (mapping.deviceOffset() + length > file.device().lengthBytes()) {
      throw new CorruptException(
          "chunk map of nid %d: ends at %d of %s, which has %d bytes"
              .formatted(
                  inode.nid(), mapping.deviceOffset() + length, file, file.device().lengthBytes()),
          "image " + name,
          -1);
    }
    return new ReadPlan.Run(file, mapping.deviceOffset(), length);
  }

  OptionalLong seek(long node, long offset, boolean data) throws IOException {
    Inode inode = inode(node);
    long at = offset;
    for (int step = 0; step < MAX_SEEK_STEPS && at < inode.sizeBytes(); step++) {
      Mapping mapping = metadata.map(inode, at);
      if (mapping.device() != Mapping.ZEROS == data) {
        return OptionalLong.of(at);
      }
      at += mapping.lengthBytes();
    }
    if (at < inode.sizeBytes()) {
      // A hole may be reported as data (lseek(2)), so this is slow to copy, but right.
      return OptionalLong.of(data ? at : inode.sizeBytes());
    }
    return data || offset >= inode.sizeBytes()
        ? OptionalLong.empty()
        : OptionalLong.of(inode.sizeBytes());
  }

  /** Counts a reference, unless the last one is gone already. */
  boolean retain() {
    long count;
    do {
      count = references.get();
      if (count == 0) {
        return false;
      }
    } while (!references.compareAndSet(count, count + 1));
    return true;
  }

  /** Drops references; true for the caller that dropped the last one, who then closes the image. */
  boolean drop(long count) {
    return references.addAndGet(-count) == 0;
  }

  /** Closes it; a second time does nothing. */
  void close() {
    if (closed.compareAndSet(false, true)) {
      files.release(devices);
      metadata.close();
    }
  }

  private Inode inode(long node) throws IOException {
    return metadata.inode(numbers.nid(node));
  }

  private long node(long nid) throws CorruptException {
    if (!NodeNumbers.fits(nid)) {
      // 128 GiB of metadata: nothing that writes our images makes such an inode.
      throw new CorruptException("nid " + nid + ": 1 to 2^32 - 1 expected", "image " + name, -1);
    }
    return numbers.node(nid);
  }

  @Override
  public String toString() {
    return "image " + name;
  }
}

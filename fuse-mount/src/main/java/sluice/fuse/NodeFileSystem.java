package sluice.fuse;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.core.Bytes;
import sluice.core.LazyDevice;

/**
 * The file system of a whole host: its root holds one directory for each image that is added. An
 * image that is removed has no name any more, but its nodes answer until the kernel has forgotten
 * the last of them.
 */
public final class NodeFileSystem implements ReadOnlyFileSystem {

  private static final Logger LOG = LoggerFactory.getLogger(NodeFileSystem.class);

  // readdir(3), linux/stat.h
  private static final int DT_DIR = 4;
  private static final int ROOT_MODE = 0040555;
  private static final Bytes SELF = Bytes.utf8(".");
  private static final Bytes PARENT = Bytes.utf8("..");

  /** Cookies of the root: after ".", after "..", and after the image of a number this much more. */
  private static final long COOKIE_SELF = 1;

  private static final long COOKIE_PARENT = 2;

  /** No image has this inode number: those begin at the nid of a root, which is never so low. */
  private static final long ROOT_INO = 1;

  private final boolean acls;
  private final DeviceFiles files = new DeviceFiles();
  private final AtomicInteger lastNumber = new AtomicInteger();

  /** Images that have a name, in the order in which they were added: the order of the listing. */
  private final ConcurrentSkipListMap<Integer, ServedImage> listed = new ConcurrentSkipListMap<>();

  private final Map<Bytes, ServedImage> byName = new ConcurrentHashMap<>();

  /** Images of which the kernel may still know a node; a superset of the listed ones. */
  private final Map<Integer, ServedImage> alive = new ConcurrentHashMap<>();

  /**
   * Makes one without images.
   *
   * @param acls whether it takes images that hold POSIX ACLs; if not, it takes only others
   */
  public NodeFileSystem(boolean acls) {
    this.acls = acls;
  }

  @Override
  public boolean holdsAcls() {
    return acls;
  }

  /**
   * Adds an image as a directory of the root.
   *
   * @param devices slot {@code i} of the image's device table is {@code devices[i]}; they stay the
   *     caller's, who keeps them while the kernel knows the image
   * @throws FileAlreadyExistsException if an image has that name
   * @throws sluice.core.CorruptException if it is no metadata image, or has other devices
   */
  public ServedImage add(String name, Path metadataImage, List<LazyDevice> devices)
      throws IOException {
    int number = lastNumber.incrementAndGet();
    ServedImage image = ServedImage.open(number, name, metadataImage, devices, files);
    if (image.holdsAcls() && !acls) {
      image.close();
      throw new IllegalArgumentException(image + " holds POSIX ACLs, which are not enforced here");
    }
    alive.put(number, image);
    if (byName.putIfAbsent(Bytes.utf8(name), image) != null) {
      alive.remove(number);
      image.close();
      throw new FileAlreadyExistsException(name);
    }
    listed.put(number, image);
    return image;
  }

  /** Takes the image's name away, and lets go of it when the kernel has. */
  public void remove(ServedImage image) {
    if (listed.remove(image.number()) != null) {
      byName.remove(Bytes.utf8(image.name()));
      drop(image, 1);
    }
  }

  /** How many images have a name. */
  public int size() {
    return listed.size();
  }

  private ServedImage image(long node) throws StaleNodeException {
    ServedImage image = alive.get(NodeNumbers.imageOf(node));
    if (image == null) {
      throw new StaleNodeException(node);
    }
    return image;
  }

  @Override
  public NodeAttributes attributes(long node) throws IOException {
    return node == ROOT_NODE ? rootAttributes() : image(node).attributes(node);
  }

  private NodeAttributes rootAttributes() {
    return new NodeAttributes(ROOT_INO, ROOT_MODE, 0, 0, 0, 0, 0, 2 + listed.size(), 0);
  }

  @Override
  public long lookup(long directory, Bytes name) throws IOException {
    if (directory != ROOT_NODE) {
      return image(directory).lookup(directory, name);
    }
    if (name.equals(SELF) || name.equals(PARENT)) {
      return ROOT_NODE;
    }
    ServedImage image = byName.get(name);
    return image == null ? NO_NODE : image.rootNode();
  }

  @Override
  public boolean lasting(long directory) {
    return directory != ROOT_NODE;
  }

  @Override
  public void list(long directory, long cookie, EntryVisitor visitor) throws IOException {
    if (directory != ROOT_NODE) {
      image(directory).list(directory, cookie, visitor);
      return;
    }
    if (cookie < COOKIE_SELF && !visitor.entry(COOKIE_SELF, ROOT_NODE, ROOT_INO, DT_DIR, SELF)) {
      return;
    }
    if (cookie < COOKIE_PARENT
        && !visitor.entry(COOKIE_PARENT, ROOT_NODE, ROOT_INO, DT_DIR, PARENT)) {
      return;
    }
    int last = (int) Math.max(0, cookie - COOKIE_PARENT);
    for (ServedImage image : listed.tailMap(last, false).values()) {
      if (!visitor.entry(
          COOKIE_PARENT + image.number(),
          image.rootNode(),
          image.rootIno(),
          DT_DIR,
          Bytes.utf8(image.name()))) {
        return;
      }
    }
  }

  @Override
  public Bytes linkTarget(long node) throws IOException {
    return image(node).linkTarget(node);
  }

  @Override
  public Set<Bytes> xattrNames(long node) throws IOException {
    return node == ROOT_NODE ? Set.of() : image(node).xattrNames(node);
  }

  @Override
  public @Nullable Bytes xattr(long node, Bytes name) throws IOException {
    return node == ROOT_NODE ? null : image(node).xattr(node, name);
  }

  @Override
  public boolean supportsXattr(long node, Bytes name) throws IOException {
    return node == ROOT_NODE ? acls : image(node).supportsXattr(name);
  }

  @Override
  public ReadPlan plan(long node, long offset, int lengthBytes) throws IOException {
    return image(node).plan(node, offset, lengthBytes);
  }

  @Override
  public OptionalLong seek(long node, long offset, boolean data) throws IOException {
    return image(node).seek(node, offset, data);
  }

  @Override
  public Statistics statistics() {
    long bytes = 0;
    for (ServedImage image : listed.values()) {
      bytes += image.lengthBytes();
    }
    return new Statistics(bytes / Statistics.BLOCK_BYTES, 0);
  }

  @Override
  public boolean retain(long node) {
    if (node == ROOT_NODE) {
      return true;
    }
    ServedImage image = alive.get(NodeNumbers.imageOf(node));
    return image != null && image.retain();
  }

  @Override
  public void forget(long node, long references) {
    ServedImage image = alive.get(NodeNumbers.imageOf(node));
    if (image != null) {
      drop(image, references);
    }
  }

  private void drop(ServedImage image, long references) {
    if (image.drop(references)) {
      alive.remove(image.number());
      image.close();
      LOG.debug("{}: forgotten by the kernel, closed", image);
    }
  }

  @Override
  public void close() {
    listed.clear();
    byName.clear();
    alive.values().forEach(ServedImage::close);
    alive.clear();
  }
}

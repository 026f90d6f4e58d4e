package sluice.erofs;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import sluice.core.Bytes;
import sluice.core.CorruptException;
import sluice.erofs.LayerInode.Directory;
import sluice.erofs.LayerInode.LinkBelow;
import sluice.erofs.LayerInode.Payload;
import sluice.erofs.LayerInode.RegularFile;
import sluice.erofs.LayerInode.Special;
import sluice.erofs.LayerInode.Symlink;
import sluice.erofs.LayerInode.Whiteout;

/**
 * The tree of one layer, collected entry by entry in the layer's order. For one thread.
 *
 * <p>It becomes what containerd's unpack would make of the layer:
 *
 * <ul>
 *   <li>A later entry replaces an earlier one of that name, with everything below it; but a
 *       directory over a directory only changes its attributes.
 *   <li>Parents without an entry are <em>implied</em>: mode 0755, owner 0:0, time 0, and marked, so
 *       that merging gives them the attributes of the directory below. So is the root.
 *   <li>Symlinks of this layer on the way to an entry are followed, and cannot leave the tree.
 *   <li>A hard link's own attributes are applied to the inode; its xattrs are added to those that
 *       are there, because many tools write none for links. If this layer has no such target yet,
 *       the link is kept as a mark: its target lies in a layer below or, failing that, comes later
 *       in this one.
 *   <li>Whiteouts and opaque directories hide what lies in layers below, never an entry of this
 *       layer, whatever comes first. A character device 0:0 is a whiteout, as in overlayfs.
 *   <li>Xattrs {@code trusted.overlay.*}, {@code user.overlay.*} and {@code trusted.sluice.*} are
 *       dropped: overlayfs or we would obey them. So are names outside of {@code user.}, {@code
 *       trusted.}, {@code security.} and the two POSIX ACLs, which Linux cannot set either.
 * </ul>
 *
 * <p>Paths are clean (see {@link TreePath}); the empty path is the root.
 */
public final class LayerTree {

  /** Symlinks followed on the way to one entry; Linux gives up after 40 ({@code MAXSYMLINKS}). */
  private static final int MAX_SYMLINKS = 40;

  /** Parts of a path, a bound on loops: {@code PATH_MAX} 4096 holds no more. */
  private static final int MAX_DEPTH = 2048;

  private static final int IMPLIED_MODE = FileType.DIRECTORY.in(0755);

  private final String resource;
  private final Growth growth;
  private final LayerInode root = implied(false);

  /** Is asked whether the tree may grow. */
  @FunctionalInterface
  public interface Growth {
    /**
     * Called before something is added.
     *
     * @param bytes about what that takes of the heap, until the tree is written; no less
     * @throws IOException if it may not; then nothing is added
     */
    void grow(long bytes) throws IOException;
  }

  /**
   * A tree that may take any heap.
   *
   * @param resource what the tree is read from, for messages: {@code layer sha256:…}
   */
  public LayerTree(String resource) {
    this(resource, bytes -> {});
  }

  /**
   * @param resource what the tree is read from, for messages: {@code layer sha256:…}
   * @param growth what it throws, the methods that add something throw
   */
  public LayerTree(String resource, Growth growth) {
    this.resource = resource;
    this.growth = growth;
  }

  /**
   * Adds a directory, or gives one that is there these attributes.
   *
   * @throws CorruptException if the path leads through a file
   */
  public void directory(Bytes path, Attributes attributes) throws IOException {
    Attributes own = own(FileType.DIRECTORY, attributes);
    LayerInode there = path.length() == 0 ? root : existing(path);
    if (there != null && there.payload instanceof Directory directory) {
      growth.grow(TreeHeap.xattrs(own.xattrs()));
      directory.implied = false;
      there.attributes = own;
      return;
    }
    boolean hides = there != null && there.payload instanceof Whiteout;
    put(path, new LayerInode(new Directory(false, hides), own));
  }

  /**
   * Adds a regular file.
   *
   * @throws CorruptException if the path leads through a file, or is the root
   */
  public void file(Bytes path, Attributes attributes, FileContent content) throws IOException {
    put(path, new LayerInode(new RegularFile(content), own(FileType.REGULAR, attributes)));
  }

  /**
   * Adds a symlink.
   *
   * @throws CorruptException if the path leads through a file, or is the root
   */
  public void symlink(Bytes path, Attributes attributes, Bytes target) throws IOException {
    put(path, new LayerInode(new Symlink(target), own(FileType.SYMLINK, attributes)));
  }

  /**
   * Adds a device, a fifo or a socket, as the type bits of the mode say.
   *
   * @param rdev {@link DeviceNumber#encoded}; 0 for a fifo or a socket
   * @throws CorruptException if the path leads through a file, or is the root
   * @throws IllegalArgumentException if the mode is of another type
   */
  public void special(Bytes path, Attributes attributes, long rdev) throws IOException {
    FileType type = FileType.ofMode(attributes.mode());
    switch (type) {
      case CHARACTER, BLOCK, FIFO, SOCKET -> {
        if (type == FileType.CHARACTER && rdev == 0) {
          whiteout(path);
        } else {
          put(path, new LayerInode(new Special(rdev), own(type, attributes)));
        }
      }
      case REGULAR, DIRECTORY, SYMLINK ->
          throw new IllegalArgumentException("special file of type " + type);
    }
  }

  /**
   * Adds another name of a file.
   *
   * @param target path of the file in this layer or in one below
   * @throws CorruptException if the target is a directory or the link itself, or a path leads
   *     through a file
   */
  public void hardLink(Bytes path, Bytes target, Attributes attributes) throws IOException {
    LayerInode there = existing(target);
    Payload payload = there == null ? null : there.payload;
    if (path.equals(target) || payload instanceof Directory) {
      throw corrupt(path, "is a hard link to \"" + target + "\", which is a directory or itself");
    }
    if (there == null || payload instanceof Whiteout) {
      put(path, new LayerInode(new LinkBelow(target), own(FileType.REGULAR, attributes)));
      return;
    }
    SortedMap<Bytes, Bytes> added = Marks.allowed(attributes.xattrs());
    growth.grow(TreeHeap.xattrs(added));
    SortedMap<Bytes, Bytes> xattrs = new TreeMap<>(there.attributes.xattrs());
    xattrs.putAll(added);
    FileType type = FileType.ofMode(there.attributes.mode());
    int mode = type == FileType.SYMLINK ? there.attributes.mode() : type.in(attributes.mode());
    there.attributes = attributes.withMode(mode).withXattrs(xattrs);
    name(path, there);
  }

  /**
   * Hides a name of the layers below.
   *
   * @throws CorruptException if the path leads through a file, or is the root
   */
  public void whiteout(Bytes path) throws IOException {
    LayerInode there = existing(path);
    if (there == null) {
      Attributes none = new Attributes(FileType.CHARACTER.in(0), 0, 0, 0, 0);
      put(path, new LayerInode(new Whiteout(), none));
    } else if (there.payload instanceof Directory directory) {
      directory.opaque = true;
    }
  }

  /**
   * Hides everything that layers below have in a directory.
   *
   * @throws CorruptException if the path leads through a file, or is one
   */
  public void opaque(Bytes path) throws IOException {
    directoryAt(TreePath.parts(path), path).opaque = true;
  }

  LayerInode root() {
    return root;
  }

  String resource() {
    return resource;
  }

  private static LayerInode implied(boolean opaque) {
    return new LayerInode(new Directory(true, opaque), new Attributes(IMPLIED_MODE, 0, 0, 0, 0));
  }

  private static Attributes own(FileType type, Attributes attributes) {
    return attributes
        .withMode(type.in(attributes.mode()))
        .withXattrs(Marks.allowed(attributes.xattrs()));
  }

  private void put(Bytes path, LayerInode inode) throws IOException {
    growth.grow(TreeHeap.inode(inode));
    name(path, inode);
  }

  private void name(Bytes path, LayerInode inode) throws IOException {
    List<Bytes> parts = TreePath.parts(path);
    if (parts.isEmpty()) {
      throw corrupt(path, "is the root and must be a directory");
    }
    Directory parent = directoryAt(parts.subList(0, parts.size() - 1), path);
    growth.grow(TreeHeap.name(parts.getLast()));
    parent.children.put(parts.getLast(), inode);
  }

  /** What the last part of the path is in this layer, not followed if a symlink. */
  private @Nullable LayerInode existing(Bytes path) throws IOException {
    List<Bytes> parts = TreePath.parts(path);
    if (parts.isEmpty()) {
      return root;
    }
    LayerInode parent = walk(parts.subList(0, parts.size() - 1), path, false);
    return parent != null && parent.payload instanceof Directory directory
        ? directory.children.get(parts.getLast())
        : null;
  }

  private Directory directoryAt(List<Bytes> parts, Bytes path) throws IOException {
    LayerInode inode = walk(parts, path, true);
    if (inode != null && inode.payload instanceof Directory directory) {
      return directory;
    }
    throw corrupt(path, "leads through a file");
  }

  /**
   * Goes down the parts, following symlinks of this layer. What is not there is made, or stops it.
   *
   * @return null if it is not there and is not to be made, or lies behind a file
   */
  private @Nullable LayerInode walk(List<Bytes> parts, Bytes path, boolean make)
      throws IOException {
    Deque<Bytes> ahead = new ArrayDeque<>(parts);
    Deque<LayerInode> above = new ArrayDeque<>();
    LayerInode at = root;
    int symlinks = 0;
    while (!ahead.isEmpty()) {
      Bytes part = ahead.pop();
      if (TreePath.isDot(part)) {
        continue;
      }
      if (TreePath.isDotDot(part)) {
        at = above.isEmpty() ? root : above.pop();
        continue;
      }
      if (!(at.payload instanceof Directory directory) || above.size() >= MAX_DEPTH) {
        return null;
      }
      LayerInode child = directory.children.get(part);
      if (child != null && child.payload instanceof Symlink(Bytes target)) {
        if (++symlinks > MAX_SYMLINKS) {
          throw corrupt(path, "leads through more than " + MAX_SYMLINKS + " symlinks");
        }
        if (target.length() > 0 && target.at(0) == '/') {
          above.clear();
          at = root;
        }
        TreePath.split(target).reversed().forEach(ahead::push);
        continue;
      }
      boolean hidden = child != null && child.payload instanceof Whiteout;
      if (child == null || hidden) {
        if (!make) {
          return null;
        }
        child = implied(hidden);
        growth.grow(TreeHeap.name(part) + TreeHeap.inode(child));
        directory.children.put(part, child);
      }
      above.push(at);
      at = child;
    }
    return at;
  }

  private CorruptException corrupt(Bytes path, String problem) {
    return new CorruptException("entry \"%s\" %s".formatted(path, problem), resource, -1);
  }
}

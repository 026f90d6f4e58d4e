package sluice.mount;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.core.Bytes;
import sluice.core.LazyDevice;
import sluice.core.RootfsMounter;
import sluice.fuse.FuseListener;
import sluice.fuse.FuseMounts;
import sluice.fuse.FuseOptions;
import sluice.fuse.NodeFileSystem;
import sluice.fuse.ServedImage;
import sluice.fuse.raw.RawFuseSession;
import sluice.linux.DeadMounts;
import sluice.linux.Errno;
import sluice.linux.Linux;
import sluice.linux.LinuxException;

/**
 * The {@code fuse} driver: one FUSE mount for the whole host, made by the first image, in which
 * each image is a directory that is bound to its target. So thousands of images need no more
 * threads, and one file descriptor holds them all. Safe for use by many threads.
 */
final class FuseRootfsMounter implements RootfsMounter {

  private static final Logger LOG = LoggerFactory.getLogger(FuseRootfsMounter.class);

  /** Images of one name that may be mounted at once: at targets of one name in many directories. */
  private static final int MAX_SAME_NAME = 1000;

  private final Path nodeDirectory;
  private final FuseOptions options;
  private final FuseListener listener;

  /** Begun by the first image; guarded by this. */
  private @Nullable Node node;

  /** What is mounted; guarded by this. */
  private final Set<FuseMounted> mounts = new LinkedHashSet<>();

  /** Guarded by this. */
  private boolean closed;

  /** The node's mount and what it serves. */
  private record Node(NodeFileSystem files, RawFuseSession session) {}

  /**
   * Mounts nothing yet.
   *
   * @param nodeDirectory where the node's FUSE mount goes; created when it is needed. Only root may
   *     reach it: images hold set-id programs. Dead mounts beside it are unmounted then
   */
  FuseRootfsMounter(Path nodeDirectory, FuseOptions options, FuseListener listener) {
    this.nodeDirectory = nodeDirectory.toAbsolutePath().normalize();
    this.options = options;
    this.listener = listener;
  }

  @Override
  public String driver() {
    return "fuse";
  }

  @Override
  public Mounted mount(Path metadataImage, List<LazyDevice> devices, Path target)
      throws IOException {
    Path place = target.toAbsolutePath().normalize();
    DeadMounts.clear(place);
    Node serving = node();
    ServedImage image = add(serving, metadataImage, devices, place.getFileName().toString());
    try {
      serving.session().rootChanged();
      bind(nodeDirectory.resolve(image.name()), place);
    } catch (IOException | RuntimeException e) {
      serving.files().remove(image);
      throw e;
    }
    FuseMounted mounted = new FuseMounted(serving, image, place);
    synchronized (this) {
      mounts.add(mounted);
    }
    listener.images(serving.files().size());
    LOG.debug("mounted {}", mounted);
    return mounted;
  }

  private synchronized Node node() throws IOException {
    if (closed) {
      throw new IllegalStateException("mounter of " + nodeDirectory + " is closed");
    }
    Node known = node;
    if (known != null && !known.session().ended()) {
      return known;
    }
    if (known != null) {
      LOG.error(
          "{} was unmounted by another process: images that were mounted have no data any more",
          nodeDirectory);
      known.session().close();
    }
    Path root = nodeDirectory.getParent();
    if (root != null) {
      // What an earlier daemon bound is dead with its session, wherever below the root it lies.
      DeadMounts.clearBelow(root, FuseMounts.TYPE);
    }
    DeadMounts.clear(nodeDirectory);
    Files.createDirectories(nodeDirectory);
    NodeFileSystem files = new NodeFileSystem();
    Node begun = new Node(files, RawFuseSession.mount(nodeDirectory, files, options, listener));
    node = begun;
    return begun;
  }

  /** Adds the image under its name, or the first free one made from it. */
  private static ServedImage add(
      Node node, Path metadataImage, List<LazyDevice> devices, String name) throws IOException {
    for (int i = 1; i < MAX_SAME_NAME; i++) {
      try {
        return node.files().add(i == 1 ? name : name + '-' + i, metadataImage, devices);
      } catch (FileAlreadyExistsException e) {
        LOG.debug("image {}: the name is taken, {} times so far", name, i);
      }
    }
    throw new IOException("image %s: mounted %d times".formatted(name, MAX_SAME_NAME));
  }

  private static void bind(Path source, Path target) throws IOException {
    Linux.mount(source.toString(), target, null, Linux.MS_BIND, null);
    long readOnly = Linux.MS_BIND | Linux.MS_REMOUNT | Linux.MS_RDONLY;
    try {
      Linux.mount(source.toString(), target, null, readOnly, null);
    } catch (LinuxException e) {
      try {
        Linux.unmount(target, Linux.MNT_DETACH | Linux.UMOUNT_NOFOLLOW);
      } catch (LinuxException suppressed) {
        e.addSuppressed(suppressed);
      }
      throw e;
    }
  }

  /** Unmounts all images and the node's mount; who still reads one gets errors. */
  @Override
  public void close() throws IOException {
    List<FuseMounted> open;
    Node ending;
    synchronized (this) {
      closed = true;
      open = List.copyOf(mounts);
      ending = node;
      node = null;
    }
    IOException failed = null;
    for (FuseMounted mounted : open) {
      try {
        mounted.close();
      } catch (IOException e) {
        failed = joined(failed, e);
      }
    }
    if (ending != null) {
      try {
        ending.session().close();
      } catch (IOException e) {
        failed = joined(failed, e);
      }
    }
    if (failed != null) {
      throw failed;
    }
  }

  private static IOException joined(@Nullable IOException first, IOException next) {
    if (first == null) {
      return next;
    }
    first.addSuppressed(next);
    return first;
  }

  private final class FuseMounted implements Mounted {
    private final Node serving;
    private final ServedImage image;
    private final Path target;

    FuseMounted(Node serving, ServedImage image, Path target) {
      this.serving = serving;
      this.image = image;
      this.target = target;
    }

    @Override
    public Path target() {
      return target;
    }

    @Override
    public void close() throws IOException {
      synchronized (FuseRootfsMounter.this) {
        if (!mounts.remove(this)) {
          return;
        }
      }
      try {
        Linux.unmount(target, Linux.MNT_DETACH | Linux.UMOUNT_NOFOLLOW);
      } catch (LinuxException e) {
        if (e.errno() != Errno.EINVAL && e.errno() != Errno.ENOENT) {
          throw e;
        }
        LOG.debug("{}: somebody else unmounted it", target);
      } finally {
        serving.files().remove(image);
        listener.images(serving.files().size());
      }
      serving.session().rootEntryGone(Bytes.utf8(image.name()));
    }

    @Override
    public String toString() {
      return image + " at " + target;
    }
  }
}

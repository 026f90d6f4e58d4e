package sluice.mount;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Path;
import java.util.ArrayList;
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
import sluice.fuse.FuseOptions;
import sluice.fuse.ServedImage;
import sluice.linux.DeadMounts;
import sluice.linux.Errno;
import sluice.linux.Linux;
import sluice.linux.LinuxException;

/**
 * The {@code fuse} driver: one FUSE mount for the whole host, in which each image is a directory
 * that is bound to its target. So thousands of images need no more threads, and one file descriptor
 * holds them all. Safe for use by many threads.
 *
 * <p>Images that hold POSIX ACLs have a mount beside it. The kernel enforces ACLs for all of a
 * mount or none of it, and where it does it asks for those of each file that somebody reads: a
 * round trip that nearly all images can do without.
 */
final class FuseRootfsMounter implements RootfsMounter {

  private static final Logger LOG = LoggerFactory.getLogger(FuseRootfsMounter.class);

  /** Images of one name that may be mounted at once: at targets of one name in many directories. */
  private static final int MAX_SAME_NAME = 1000;

  private final NodeMount plain;
  private final NodeMount withAcls;
  private final FuseListener listener;

  /** What is mounted; guarded by this. */
  private final Set<FuseMounted> mounts = new LinkedHashSet<>();

  /**
   * Mounts nothing yet.
   *
   * @param nodeDirectory where the host's FUSE mount goes, and with {@code -acl} behind its name
   *     the one of images with ACLs; created when they are needed. Only root may reach them: images
   *     hold set-id programs. Dead mounts beside them are unmounted then
   */
  FuseRootfsMounter(Path nodeDirectory, FuseOptions options, FuseListener listener) {
    Path directory = nodeDirectory.toAbsolutePath().normalize();
    this.plain = new NodeMount(directory, false, options, listener);
    this.withAcls =
        new NodeMount(
            directory.resolveSibling(directory.getFileName() + "-acl"), true, options, listener);
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
    NodeMount node = ServedImage.holdsAcls(metadataImage) ? withAcls : plain;
    // First, as it clears away what is dead everywhere.
    NodeMount.Serving serving = node.serving();
    DeadMounts.clear(place);
    ServedImage image = add(serving, metadataImage, devices, place.getFileName().toString());
    try {
      serving.session().rootChanged();
      bind(serving.directory().resolve(image.name()), place);
    } catch (IOException | RuntimeException e) {
      serving.files().remove(image);
      throw e;
    }
    FuseMounted mounted = new FuseMounted(serving, image, place);
    synchronized (this) {
      mounts.add(mounted);
    }
    listener.images(images());
    LOG.debug("mounted {}", mounted);
    return mounted;
  }

  private int images() {
    return plain.images() + withAcls.images();
  }

  /** Adds the image under its name, or the first free one made from it. */
  private static ServedImage add(
      NodeMount.Serving node, Path metadataImage, List<LazyDevice> devices, String name)
      throws IOException {
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
    List<Closeable> open;
    synchronized (this) {
      open = new ArrayList<>(mounts);
    }
    open.add(plain);
    open.add(withAcls);
    IOException failed = null;
    for (Closeable each : open) {
      try {
        each.close();
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
    private final NodeMount.Serving serving;
    private final ServedImage image;
    private final Path target;

    FuseMounted(NodeMount.Serving serving, ServedImage image, Path target) {
      this.serving = serving;
      this.image = image;
      this.target = target;
    }

    @Override
    public Path target() {
      return target;
    }

    @Override
    public boolean alive() {
      return !serving.session().ended();
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
        listener.images(images());
      }
      serving.session().rootEntryGone(Bytes.utf8(image.name()));
    }

    @Override
    public String toString() {
      return image + " at " + target;
    }
  }
}

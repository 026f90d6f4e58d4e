package sluice.mount;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import sluice.core.Bytes;
import sluice.core.LazyDevice;
import sluice.core.RootfsMounter;
import sluice.fuse.FuseListener;
import sluice.fuse.FuseOptions;
import sluice.fuse.ImageFileSystem;
import sluice.fuse.jnr.JnrFuseSession;

/**
 * The {@code fuse} driver by jnr-fuse: a FUSE mount for each image, for libfuse cannot add trees to
 * a mount. Safe for use by many threads.
 */
final class JnrRootfsMounter implements RootfsMounter {

  private final FuseOptions options;
  private final FuseListener listener;
  private final Set<JnrMounted> mounts = ConcurrentHashMap.newKeySet();

  JnrRootfsMounter(FuseOptions options, FuseListener listener) {
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
    String name = place.getFileName().toString();
    ImageFileSystem files = ImageFileSystem.open(name, metadataImage, devices, Bytes.EMPTY);
    JnrMounted mounted =
        new JnrMounted(JnrFuseSession.mount(place, name, files, options, listener));
    mounts.add(mounted);
    listener.images(mounts.size());
    return mounted;
  }

  @Override
  public void close() throws IOException {
    @Nullable IOException failed = null;
    for (JnrMounted mounted : mounts) {
      try {
        mounted.close();
      } catch (IOException e) {
        if (failed == null) {
          failed = e;
        } else {
          failed.addSuppressed(e);
        }
      }
    }
    if (failed != null) {
      throw failed;
    }
  }

  private final class JnrMounted implements Mounted {
    private final JnrFuseSession session;

    JnrMounted(JnrFuseSession session) {
      this.session = session;
    }

    @Override
    public Path target() {
      return session.target();
    }

    @Override
    public boolean alive() {
      return !session.ended();
    }

    @Override
    public void close() throws IOException {
      if (mounts.remove(this)) {
        session.release();
        listener.images(mounts.size());
      }
    }

    @Override
    public String toString() {
      return session.toString();
    }
  }
}

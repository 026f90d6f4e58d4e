package sluice.core;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Makes directories of merged metadata images. Safe for use by many threads. Closing it unmounts
 * everything that it mounted.
 */
public interface RootfsMounter extends Closeable {

  /** {@code erofs}, {@code fuse} or {@code fanotify}. */
  String driver();

  /**
   * Mounts an image, read-only, onto an existing directory.
   *
   * @param metadataImage a merged image; the mounter opens and keeps it
   * @param devices slot {@code i} of the image's device table is {@code devices[i]}
   * @param target the directory
   * @throws IOException if the image is not one, or the kernel refuses
   */
  Mounted mount(Path metadataImage, List<LazyDevice> devices, Path target) throws IOException;

  /** One mount. */
  interface Mounted extends Closeable {
    Path target();

    /** Whether somebody still serves it; once it is not, only mounting it again helps. */
    boolean alive();

    /** Unmounts; a container that still holds the directory open keeps reading. */
    @Override
    void close() throws IOException;
  }
}

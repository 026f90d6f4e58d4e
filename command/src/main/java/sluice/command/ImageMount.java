package sluice.command;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import sluice.core.ImageReference;
import sluice.core.Platform;
import sluice.fuse.FuseListener;
import sluice.fuse.FuseOptions;
import sluice.fuse.FuseSession;
import sluice.fuse.Transport;
import sluice.mount.FuseMounters;
import sluice.snapshotter.image.ImageLoader;

/** An image mounted on a directory, without containerd. */
final class ImageMount implements Closeable {

  private final ImageLoader.Loaded image;
  private final FuseSession session;

  private ImageMount(ImageLoader.Loaded image, FuseSession session) {
    this.image = image;
    this.session = session;
  }

  /** How an image is mounted. */
  record How(Platform platform, Transport transport, FuseOptions options) {}

  /**
   * Mounts an image. Closing the result unmounts it; the engine stays the caller's.
   *
   * @param directory an existing directory
   */
  static ImageMount open(Engine engine, ImageReference reference, Path directory, How how)
      throws IOException, InterruptedException {
    if (!Files.isDirectory(directory)) {
      throw new NotDirectoryException(directory + ": no directory to mount on; make it first");
    }
    ImageLoader.Loaded image =
        engine.loader().load(engine.resolver().resolve(reference, how.platform));
    FuseSession session =
        FuseMounters.onDirectory(
            how.transport,
            reference.toString(),
            image.tree(),
            image.devices(),
            directory,
            how.options,
            FuseListener.NONE);
    return new ImageMount(image, session);
  }

  ImageLoader.Loaded image() {
    return image;
  }

  /** Whether somebody else unmounted it. */
  boolean ended() {
    return session.ended();
  }

  @Override
  public void close() throws IOException {
    session.close();
  }
}

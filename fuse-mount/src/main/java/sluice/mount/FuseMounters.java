package sluice.mount;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import sluice.core.Bytes;
import sluice.core.LazyDevice;
import sluice.core.RootfsMounter;
import sluice.fuse.FuseListener;
import sluice.fuse.FuseOptions;
import sluice.fuse.FuseSession;
import sluice.fuse.ImageFileSystem;
import sluice.fuse.ReadOnlyFileSystem;
import sluice.fuse.Transport;
import sluice.fuse.jnr.JnrFuseSession;
import sluice.fuse.raw.RawFuseSession;

/** Mounts images by FUSE, by either transport. */
public final class FuseMounters {

  /** Where the root file system lies in a merged image. */
  private static final Bytes ROOTFS = Bytes.utf8("fs");

  private FuseMounters() {}

  /**
   * The {@code fuse} driver for all images of this host.
   *
   * @param nodeDirectory where the host's FUSE mount goes, if the transport makes one
   */
  public static RootfsMounter forNode(
      Transport transport, Path nodeDirectory, FuseOptions options, FuseListener listener) {
    return switch (transport) {
      case RAW -> new FuseRootfsMounter(nodeDirectory, options, listener);
      case JNR -> new JnrRootfsMounter(options, listener);
    };
  }

  /**
   * Mounts one image on a user's directory: its root file system, without anything around it.
   *
   * @param name what messages call the image
   * @param metadataImage a merged image; the session opens and keeps it
   * @param devices slot {@code i} of the image's device table is {@code devices[i]}; they stay the
   *     caller's
   * @throws IOException if the image is not one, or cannot be mounted; it says what to do
   */
  public static FuseSession onDirectory(
      Transport transport,
      String name,
      Path metadataImage,
      List<LazyDevice> devices,
      Path target,
      FuseOptions options,
      FuseListener listener)
      throws IOException {
    return mount(
        transport,
        target,
        name,
        ImageFileSystem.open(name, metadataImage, devices, ROOTFS),
        options,
        listener);
  }

  private static FuseSession mount(
      Transport transport,
      Path target,
      String name,
      ReadOnlyFileSystem files,
      FuseOptions options,
      FuseListener listener)
      throws IOException {
    return switch (transport) {
      case RAW -> RawFuseSession.mount(target, files, options, listener);
      case JNR -> JnrFuseSession.mount(target, name, files, options, listener);
    };
  }
}

package sluice.command;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.InstantSource;
import sluice.command.config.Config;
import sluice.core.Platform;
import sluice.core.RootfsMounter;
import sluice.fuse.FuseListener;
import sluice.fuse.FuseOptions;
import sluice.fuse.Transport;
import sluice.linux.LocalDirectories;
import sluice.mount.FuseMounters;
import sluice.snapshotter.image.ImageLibrary;
import sluice.snapshotter.image.LocalContent;
import sluice.snapshotter.state.SnapshotStore;
import sluice.snapshotter.store.RootLock;
import sluice.snapshotter.store.SqliteSnapshotStore;

/**
 * What lies below the root directory of a node: its snapshots, layers and chunks, open for this
 * process alone. Nothing is mounted until somebody asks for it.
 *
 * @param store the snapshots
 * @param engine layers and chunks
 * @param images what is made of both
 */
record NodeStock(SnapshotStore store, Engine engine, ImageLibrary images, OpenParts parts)
    implements Closeable {

  /** Who hears what happens in it. */
  record Listeners(Engine.Listeners engine, FuseListener fuse) {
    static final Listeners NONE = new Listeners(Engine.Listeners.NONE, FuseListener.NONE);
  }

  /**
   * Opens it.
   *
   * @param lock on {@link Config#root}; taken over, also if this fails
   */
  static NodeStock open(RootLock lock, Config config, LocalContent local, Listeners listeners)
      throws IOException {
    OpenParts parts = new OpenParts();
    try {
      parts.keep(lock);
      Path root = config.root();
      SqliteSnapshotStore store =
          parts.keep(SqliteSnapshotStore.open(root.resolve("sluice.db"), InstantSource.system()));
      Engine engine = parts.keep(Engine.open(root, Engine.Indexes.of(config), listeners.engine));
      RootfsMounter mounter =
          parts.keep(
              FuseMounters.forNode(
                  transport(config),
                  root.resolve("node"),
                  FuseOptions.forContainers(),
                  listeners.fuse));
      return new NodeStock(store, engine, images(config, engine, mounter, local), parts);
    } catch (IOException | RuntimeException e) {
      parts.closeAfter(e);
      throw e;
    }
  }

  private static ImageLibrary images(
      Config config, Engine engine, RootfsMounter mounter, LocalContent local) throws IOException {
    return ImageLibrary.open(
        new ImageLibrary.Settings(config.root(), Platform.host(), config.pull().indexDeadline()),
        new ImageLibrary.Ports(
            engine.places(),
            local,
            engine.cache(),
            mounter,
            new LocalDirectories(),
            engine.workers(),
            Clock.systemUTC()),
        engine.layers());
  }

  private static Transport transport(Config config) {
    return switch (config.fuse().transport()) {
      case RAW -> Transport.RAW;
      case JNR -> Transport.JNR;
    };
  }

  /** Unmounts everything and gives the root back. */
  @Override
  public void close() throws IOException {
    parts.close();
  }
}

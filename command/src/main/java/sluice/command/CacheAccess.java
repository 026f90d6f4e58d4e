package sluice.command;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import sluice.command.config.Config;
import sluice.snapshotter.image.LocalContent;
import sluice.snapshotter.service.CacheControl;
import sluice.snapshotter.state.Fallbacks;
import sluice.snapshotter.state.Snapshotter;
import sluice.snapshotter.store.RootLock;

/**
 * The way to a node's cache. The running daemon is asked where there is one; otherwise the root
 * directory is opened, under the lock that a daemon takes, so that it never has two writers.
 */
final class CacheAccess {

  @Mixin private DaemonOptions daemon = new DaemonOptions();

  @Option(
      names = "--root",
      paramLabel = "DIR",
      description = {
        "A root directory that no daemon has open; that of `sluice mount` too.",
        "Default: the running daemon is asked, or the configured root is opened."
      })
  private @Nullable Path root;

  /**
   * A cache that can be used until it is closed.
   *
   * @param where the socket or the directory, for people
   */
  record Opened(CacheControl cache, String where, OpenParts parts) implements Closeable {
    @Override
    public void close() throws IOException {
      parts.close();
    }
  }

  /**
   * Opens it.
   *
   * @throws IOException if neither works; the message says what to do
   */
  Opened open() throws IOException {
    Config config = daemon.config();
    if (root != null) {
      return open(config.withRoot(root.toAbsolutePath()));
    }
    if (daemon.hasAddress() || ControlClient.answers(config.address())) {
      return new Opened(
          new RemoteCache(config.address()), "daemon at " + config.address(), new OpenParts());
    }
    return open(config);
  }

  private static Opened open(Config config) throws IOException {
    if (!Files.isDirectory(config.root().resolve("devices"))) {
      throw new NoSuchFileException(
          config.root().toString(),
          null,
          "no cache is there, and no daemon answers at %s; name a --root, or the daemon's --address"
              .formatted(config.address()));
    }
    OpenParts parts = new OpenParts();
    try {
      NodeStock stock =
          parts.keep(
              NodeStock.open(
                  lock(config.root()), config, LocalContent.NONE, NodeStock.Listeners.NONE));
      Snapshotter snapshotter =
          Snapshotter.open(config.root(), stock.store(), stock.images(), new Fallbacks());
      return new Opened(new NodeCache(stock, snapshotter), "root " + config.root(), parts);
    } catch (IOException | RuntimeException e) {
      parts.closeAfter(e);
      throw e;
    }
  }

  private static RootLock lock(Path root) throws IOException {
    try {
      return RootLock.take(root);
    } catch (FileSystemException e) {
      throw e;
    } catch (IOException e) {
      throw new IOException(e.getMessage() + "; a daemon can be asked: name its --address", e);
    }
  }
}

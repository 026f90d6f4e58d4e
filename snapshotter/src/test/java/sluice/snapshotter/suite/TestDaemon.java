package sluice.snapshotter.suite;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import sluice.api.control.ControlGrpc;
import sluice.api.control.StatusRequest;
import sluice.api.control.StatusResponse;
import sluice.snapshotter.containerd.SocketChannel;
import sluice.snapshotter.service.ControlService;
import sluice.snapshotter.service.SnapshotsService;
import sluice.snapshotter.service.SocketServer;
import sluice.snapshotter.state.Fallbacks;
import sluice.snapshotter.state.Snapshotter;
import sluice.snapshotter.store.RootLock;
import sluice.snapshotter.store.SqliteSnapshotStore;
import sluice.testing.Mounted;
import sluice.testing.SnapshotClient;

/** A daemon in this process, with a root directory of its own, and a connection to it. */
final class TestDaemon implements Closeable {

  private final Path directory;
  private DirectoryLayers layers;
  private Running running;

  private record Running(
      RootLock lock, SqliteSnapshotStore store, SocketServer server, SocketChannel connection) {}

  private TestDaemon(Path directory, DirectoryLayers layers, Running running) {
    this.directory = directory;
    this.layers = layers;
    this.running = running;
  }

  /** Starts one; its paths are short, as those of overlayfs should be. */
  static TestDaemon start() throws IOException {
    Path directory = Files.createTempDirectory("sl");
    DirectoryLayers layers = layersIn(directory);
    return new TestDaemon(directory, layers, run(directory, layers));
  }

  private static DirectoryLayers layersIn(Path directory) {
    return new DirectoryLayers(directory.resolve("remote"), directory.resolve("root/m"));
  }

  private static Running run(Path directory, DirectoryLayers layers) throws IOException {
    Path root = Files.createDirectories(directory.resolve("root"));
    RootLock lock = RootLock.take(root);
    SqliteSnapshotStore store =
        SqliteSnapshotStore.open(root.resolve("sluice.db"), InstantSource.system());
    Fallbacks fallbacks = new Fallbacks();
    Snapshotter snapshotter = Snapshotter.start(root, store, layers, fallbacks);
    ControlService.Daemon daemon = new ControlService.Daemon("test", root, Instant.now());
    SocketServer server =
        SocketServer.listen(
            directory.resolve("s.sock"),
            List.of(
                new SnapshotsService(snapshotter),
                new ControlService(daemon, snapshotter, fallbacks, List.of())));
    return new Running(lock, store, server, SocketChannel.to(server.socket()));
  }

  /** Ends the daemon, and starts another one on the same root; mounts go in between. */
  void restart() throws IOException {
    stop();
    layers = layersIn(directory);
    running = run(directory, layers);
  }

  SnapshotClient client() {
    return new SnapshotClient(() -> running.connection.channel());
  }

  StatusResponse status() {
    return ControlGrpc.newBlockingStub(running.connection.channel())
        .withDeadlineAfter(60, TimeUnit.SECONDS)
        .status(StatusRequest.getDefaultInstance());
  }

  DirectoryLayers layers() {
    return layers;
  }

  Path socket() {
    return running.server.socket();
  }

  Path root() {
    return directory.resolve("root");
  }

  /** A place for the test's own directories, on the same file system. */
  Path work() throws IOException {
    return Files.createDirectories(directory.resolve("w"));
  }

  private void stop() throws IOException {
    running.connection.close();
    running.server.close();
    layers.unmountAll();
    running.store.close();
    running.lock.close();
  }

  @Override
  public void close() throws IOException {
    stop();
    Mounted.clear(directory);
    try (Stream<Path> tree = Files.walk(directory)) {
      for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}

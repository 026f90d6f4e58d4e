package sluice.command;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import sluice.command.config.ConfigFile;
import sluice.snapshotter.containerd.SocketChannel;
import sluice.testing.Mounted;
import sluice.testing.SnapshotClient;

/** The daemon in this process, with all its real parts, and a connection to its socket. */
final class SuiteNode implements Closeable {

  /** The port of metrics is the whole host's, and a busy host is no reason to fall back. */
  private static final String CONFIG =
      """
      [metrics]
      address = ""
      [pull]
      index_deadline_seconds = 50
      """;

  private final Path directory;
  private Daemon daemon;
  private SocketChannel connection;

  private SuiteNode(Path directory, Daemon daemon) {
    this.directory = directory;
    this.daemon = daemon;
    this.connection = SocketChannel.to(directory.resolve("s.sock"));
  }

  /** Starts one; its paths are short, as those of overlayfs should be. */
  static SuiteNode start() throws IOException {
    Path directory = Files.createTempDirectory("sl");
    Files.writeString(directory.resolve("config.toml"), CONFIG);
    return new SuiteNode(directory, serve(directory));
  }

  private static Daemon serve(Path directory) throws IOException {
    return Daemon.start(
        ConfigFile.read(directory.resolve("config.toml"))
            .withRoot(directory.resolve("root"))
            .withAddress(directory.resolve("s.sock")));
  }

  /** Ends the daemon, and starts another one on the same root. */
  void restart() throws IOException {
    connection.close();
    daemon.close();
    daemon = serve(directory);
    connection = SocketChannel.to(directory.resolve("s.sock"));
  }

  SnapshotClient client() {
    return new SnapshotClient(() -> connection.channel());
  }

  /** A place for the test's own directories, on the same file system. */
  Path work() throws IOException {
    return Files.createDirectories(directory.resolve("w"));
  }

  /** What is kept of snapshots and images, and where images are mounted. */
  List<String> kept() throws IOException {
    List<String> kept = new ArrayList<>();
    for (String name : List.of("snapshots", "layers", "chains", "m", "devices")) {
      Path place = directory.resolve("root").resolve(name);
      if (Files.isDirectory(place)) {
        try (Stream<Path> entries = Files.list(place)) {
          entries.filter(entry -> !entry.endsWith("lock")).map(Path::toString).forEach(kept::add);
        }
      }
    }
    return kept;
  }

  @Override
  public void close() throws IOException {
    connection.close();
    daemon.close();
    Mounted.clear(directory);
    try (Stream<Path> tree = Files.walk(directory)) {
      for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}

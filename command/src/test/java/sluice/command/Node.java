package sluice.command;

import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import sluice.api.control.StatusResponse;

/**
 * A daemon in a process of its own, with a root, a socket and mount points below one directory,
 * which {@link #close} deletes.
 */
final class Node implements Closeable {

  /** The port of metrics is the whole host's, and a busy host is no reason to fall back. */
  private static final String CONFIG =
      """
      [metrics]
      address = "127.0.0.1:0"
      """;

  private static final Pattern PORT = Pattern.compile("metrics on http://127\\.0\\.0\\.1:(\\d+)/");

  private static final Duration PATIENT = Duration.ofSeconds(50);

  private final Path directory;
  private SluiceProcess daemon;
  private SnapshotCaller client;

  private Node(Path directory, SluiceProcess daemon, SnapshotCaller client) {
    this.directory = directory;
    this.daemon = daemon;
    this.client = client;
  }

  /** Starts one; returns once it answers. */
  static Node start() throws IOException, InterruptedException {
    return start(PATIENT, Map.of());
  }

  /** Starts one with something more in its environment; returns once it answers. */
  static Node start(Map<String, String> environment) throws IOException, InterruptedException {
    return start(PATIENT, environment);
  }

  /** Starts one that waits so long for manifest and index of an image; returns once it answers. */
  static Node start(Duration indexDeadline) throws IOException, InterruptedException {
    return start(indexDeadline, Map.of());
  }

  /** Starts one with something more in its configuration; returns once it answers. */
  static Node configured(String sections) throws IOException, InterruptedException {
    return start(PATIENT, Map.of(), sections);
  }

  private static Node start(Duration indexDeadline, Map<String, String> environment)
      throws IOException, InterruptedException {
    return start(indexDeadline, environment, "");
  }

  private static Node start(
      Duration indexDeadline, Map<String, String> environment, String sections)
      throws IOException, InterruptedException {
    Path directory = Files.createTempDirectory("sl");
    Files.writeString(
        directory.resolve("config.toml"),
        CONFIG + "[pull]\nindex_deadline_seconds = " + indexDeadline.toSeconds() + "\n" + sections);
    SluiceProcess daemon = serve(directory, environment);
    return new Node(directory, daemon, SnapshotCaller.to(directory.resolve("s.sock")));
  }

  /** Starts the daemon again, after its end. */
  void restart(Map<String, String> environment) throws IOException, InterruptedException {
    client.close();
    daemon = serve(directory, environment);
    client = SnapshotCaller.to(directory.resolve("s.sock"));
  }

  SluiceProcess daemon() {
    return daemon;
  }

  /** Where it serves containerd. */
  Path socket() {
    return directory.resolve("s.sock");
  }

  SnapshotCaller client() {
    return client;
  }

  /** What {@code sluice status} is made of. */
  StatusResponse status() throws IOException {
    return ControlClient.status(socket());
  }

  /** What it answers to a monitor; {@code path} begins with a slash. */
  HttpResponse<String> get(String path) throws IOException, InterruptedException {
    Matcher port = PORT.matcher(daemon.log());
    if (!port.find()) {
      throw new AssertionError("no port of metrics:\n" + daemon.log());
    }
    URI uri = URI.create("http://127.0.0.1:" + port.group(1) + path);
    HttpRequest request = HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(10)).build();
    try (HttpClient http = HttpClient.newHttpClient()) {
      return http.send(request, HttpResponse.BodyHandlers.ofString());
    }
  }

  /** A mount point; it need not be there. */
  Path target(String name) {
    return directory.resolve("t").resolve(name);
  }

  Path directory() {
    return directory;
  }

  private static SluiceProcess serve(Path directory, Map<String, String> environment)
      throws IOException, InterruptedException {
    Path log = directory.resolve("log");
    Files.deleteIfExists(log);
    return SluiceProcess.start(
            log,
            environment,
            "serve",
            "--root",
            directory.resolve("root").toString(),
            "--address",
            directory.resolve("s.sock").toString(),
            "--config",
            directory.resolve("config.toml").toString())
        .await(" serves ");
  }

  @Override
  public void close() throws IOException {
    client.close();
    try {
      Shell.unmountBelow(directory.resolve("t"));
      if (daemon.isAlive()) {
        var _ = daemon.stop();
      }
      Shell.unmountBelow(directory);
    } catch (InterruptedException e) {
      daemon.close();
      Thread.currentThread().interrupt();
    }
    try (Stream<Path> tree = Files.walk(directory)) {
      for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    } catch (UncheckedIOException e) {
      throw new IOException(directory + " cannot be deleted", e);
    }
  }
}

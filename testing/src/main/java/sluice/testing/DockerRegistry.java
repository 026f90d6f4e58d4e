package sluice.testing;

import java.io.Closeable;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A real registry on a loopback port: Debian's {@code docker-registry} (distribution 2.8), with its
 * storage, log and configuration in a directory of its own.
 *
 * <p>{@link #close} ends the process and deletes the directory. {@link #stop} and {@link #start}
 * keep port and storage; {@link #pause} makes it accept connections and never answer. For one
 * thread at a time, but for {@link #requests}.
 */
public final class DockerRegistry implements Closeable {

  /** The program; a test that needs it may ask {@link #installed} first. */
  public static final Path PROGRAM = Path.of("/usr/bin/docker-registry");

  private static final Duration START_LIMIT = Duration.ofSeconds(30);
  private static final Duration STOP_LIMIT = Duration.ofSeconds(10);
  private static final int START_POLL_MILLIS = 50;

  private final Path directory;
  private final int port;
  private Optional<Process> process = Optional.empty();

  private DockerRegistry(Path directory, int port) {
    this.directory = directory;
    this.port = port;
  }

  public static boolean installed() {
    return Files.isExecutable(PROGRAM);
  }

  /** Starts a registry that anybody may read and write. */
  public static DockerRegistry open() throws IOException, InterruptedException {
    return create("");
  }

  /** Starts a registry that asks for HTTP Basic credentials. */
  public static DockerRegistry withBasicAuth(String user, String password)
      throws IOException, InterruptedException {
    return create(htpasswdLine(user, password));
  }

  /** {@code 127.0.0.1:PORT}, as the first part of a reference. */
  public String host() {
    return "127.0.0.1:" + port;
  }

  /** The process, while it runs. */
  public Optional<Long> pid() {
    return process.filter(Process::isAlive).map(Process::pid);
  }

  /** The directory of the registry's storage driver. */
  public Path storage() {
    return directory.resolve("storage");
  }

  /**
   * The requests so far, oldest first, as {@code METHOD PATH STATUS BYTES}. The registry writes its
   * log when an answer has ended, so that the last one may be missing for some milliseconds.
   */
  public List<String> requests() throws IOException {
    try (Stream<String> lines = Files.lines(log(), StandardCharsets.ISO_8859_1)) {
      return lines.flatMap(line -> request(line).stream()).toList();
    }
  }

  /** Starts the process again after {@link #stop}; returns once it answers. */
  public void start() throws IOException, InterruptedException {
    if (pid().isPresent()) {
      throw new IllegalStateException("docker-registry on " + host() + " runs already");
    }
    ProcessBuilder builder =
        new ProcessBuilder(PROGRAM.toString(), "serve", directory.resolve("config.yml").toString());
    builder.environment().put("OTEL_TRACES_EXPORTER", "none");
    builder.redirectErrorStream(true);
    builder.redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()));
    process = Optional.of(builder.start());
    awaitAnswer();
  }

  /** Ends the process; the storage stays. */
  public void stop() {
    process.ifPresent(DockerRegistry::end);
    process = Optional.empty();
  }

  /** Stops the process as it is: connections are accepted by the kernel, nothing is answered. */
  public void pause() throws IOException, InterruptedException {
    signal("STOP");
  }

  /** Lets a paused process go on. */
  public void resume() throws IOException, InterruptedException {
    signal("CONT");
  }

  @Override
  public void close() throws IOException {
    stop();
    deleteTree(directory);
  }

  @Override
  public String toString() {
    return "docker-registry on " + host();
  }

  private static DockerRegistry create(String htpasswd) throws IOException, InterruptedException {
    Path directory = Files.createTempDirectory("sluice-registry");
    DockerRegistry registry = new DockerRegistry(directory, freePort());
    try {
      Files.writeString(directory.resolve("htpasswd"), htpasswd);
      Files.writeString(directory.resolve("config.yml"), registry.config(!htpasswd.isEmpty()));
      registry.start();
      return registry;
    } catch (IOException | InterruptedException | RuntimeException e) {
      registry.close();
      throw e;
    }
  }

  private String config(boolean basicAuth) {
    String auth =
        basicAuth
            ? """
            auth:
              htpasswd:
                realm: sluice-test
                path: %s
            """
                .formatted(directory.resolve("htpasswd"))
            : "";
    return """
    version: 0.1
    log:
      level: warn
      accesslog:
        disabled: false
    storage:
      filesystem:
        rootdirectory: %s
      delete:
        enabled: true
    http:
      addr: 127.0.0.1:%d
    """
            .formatted(storage(), port)
        + auth;
  }

  private Path log() {
    return directory.resolve("log");
  }

  private void awaitAnswer() throws IOException, InterruptedException {
    HttpRequest ping =
        HttpRequest.newBuilder(URI.create("http://" + host() + "/v2/"))
            .timeout(Duration.ofSeconds(2))
            .build();
    long deadline = System.nanoTime() + START_LIMIT.toNanos();
    try (HttpClient client = HttpClient.newHttpClient()) {
      while (!answers(client, ping)) {
        if (pid().isEmpty() || System.nanoTime() > deadline) {
          stop();
          throw new IOException(this + " did not start:\n" + Files.readString(log()));
        }
        Thread.sleep(START_POLL_MILLIS);
      }
    }
  }

  private static boolean answers(HttpClient client, HttpRequest ping) throws InterruptedException {
    try {
      int status = client.send(ping, HttpResponse.BodyHandlers.discarding()).statusCode();
      return status == 200 || status == 401;
    } catch (IOException notYet) {
      return false;
    }
  }

  private void signal(String name) throws IOException, InterruptedException {
    long pid = pid().orElseThrow(() -> new IllegalStateException(this + " does not run"));
    int status = new ProcessBuilder("kill", "-" + name, Long.toString(pid)).start().waitFor();
    if (status != 0) {
      throw new IOException("kill -" + name + " " + pid + ": exit status " + status);
    }
  }

  private static void end(Process process) {
    process.destroyForcibly();
    boolean interrupted = Thread.interrupted();
    try {
      process.waitFor(STOP_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      interrupted = true;
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Finds the request in a line of the access log, which has Apache's combined form. */
  private static Optional<String> request(String line) {
    String[] quoted = line.split("\"", -1);
    if (quoted.length < 3 || !quoted[1].endsWith(" HTTP/1.1")) {
      return Optional.empty();
    }
    String[] statusAndBytes = quoted[2].strip().split(" ", -1);
    String methodAndPath = quoted[1].substring(0, quoted[1].length() - " HTTP/1.1".length());
    return Optional.of(methodAndPath + ' ' + statusAndBytes[0] + ' ' + statusAndBytes[1]);
  }

  private static String htpasswdLine(String user, String password)
      throws IOException, InterruptedException {
    Process htpasswd =
        new ProcessBuilder("htpasswd", "-nbB", user, password).redirectErrorStream(true).start();
    String output = new String(htpasswd.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    int status = htpasswd.waitFor();
    if (status != 0) {
      throw new IOException("htpasswd: exit status " + status + ": " + output);
    }
    return output;
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private static void deleteTree(Path root) throws IOException {
    try (Stream<Path> paths = Files.walk(root)) {
      for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}

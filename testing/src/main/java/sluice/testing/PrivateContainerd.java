package sluice.testing;

import java.io.Closeable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A real containerd with root, state, socket and configuration in a directory of its own, and with
 * proxy snapshotters; nothing of the host's own containerd is touched. Needs root.
 *
 * <p>{@link #close} ends what runs in it, then the daemon, and deletes the directory. {@link #stop}
 * and {@link #start} keep everything, as a restart of the service would; containers run on
 * meanwhile. For one thread at a time.
 */
public final class PrivateContainerd implements Closeable {

  private static final Path DAEMON = Path.of("/usr/bin/containerd");
  private static final Path CTR = Path.of("/usr/bin/ctr");

  private static final Duration START_LIMIT = Duration.ofSeconds(60);
  private static final Duration STOP_LIMIT = Duration.ofSeconds(20);

  /** Longer than any command takes on a busy machine; a hanging one fails its test. */
  private static final Duration COMMAND_LIMIT = Duration.ofMinutes(3);

  private static final int POLL_MILLIS = 50;

  private final Path directory;
  private Optional<Process> process = Optional.empty();

  /** What a command said, and how it ended. */
  public record Result(int status, String output) {}

  private PrivateContainerd(Path directory) {
    this.directory = directory;
  }

  /** Whether containerd, ctr and runc are there. */
  public static boolean installed() {
    return Files.isExecutable(DAEMON)
        && Files.isExecutable(CTR)
        && (Files.isExecutable(Path.of("/usr/sbin/runc"))
            || Files.isExecutable(Path.of("/usr/bin/runc")));
  }

  /**
   * Starts one; returns once it answers.
   *
   * @param snapshotters sockets of proxy snapshotters, by the names that containerd knows them by;
   *     they are connected to when they are first used
   */
  public static PrivateContainerd start(Map<String, Path> snapshotters)
      throws IOException, InterruptedException {
    PrivateContainerd containerd = new PrivateContainerd(Files.createTempDirectory("slc"));
    try {
      Files.writeString(
          containerd.directory.resolve("config.toml"), containerd.config(snapshotters));
      containerd.start();
      return containerd;
    } catch (IOException | InterruptedException | RuntimeException e) {
      containerd.close();
      throw e;
    }
  }

  /** Its socket. */
  public Path socket() {
    return directory.resolve("c.sock");
  }

  /** What it logged so far. */
  public String log() throws IOException {
    return Files.readString(logFile());
  }

  /** Starts the process again after {@link #stop}; returns once it answers. */
  public void start() throws IOException, InterruptedException {
    if (process.isPresent()) {
      throw new IllegalStateException(this + " runs already");
    }
    process =
        Optional.of(
            new ProcessBuilder(
                    DAEMON.toString(), "--config", directory.resolve("config.toml").toString())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(logFile().toFile()))
                .start());
    long deadline = System.nanoTime() + START_LIMIT.toNanos();
    while (tryCtr("version").status() != 0) {
      if (!process.map(Process::isAlive).orElse(false) || System.nanoTime() > deadline) {
        throw new IOException(this + " did not start:\n" + log());
      }
      Thread.sleep(POLL_MILLIS);
    }
  }

  /** Ends the daemon; containers run on. */
  public void stop() {
    process.ifPresent(PrivateContainerd::end);
    process = Optional.empty();
  }

  /**
   * Runs {@code ctr} against it.
   *
   * @param arguments without {@code --address}; begin with {@code -n NAMESPACE} for another one
   *     than {@code default}
   * @return what it wrote, stdout and stderr
   * @throws IOException if it fails; the message has its output
   */
  public String ctr(String... arguments) throws IOException, InterruptedException {
    Result result = tryCtr(arguments);
    if (result.status() != 0) {
      throw new IOException(
          "ctr %s: status %d: %s".formatted(List.of(arguments), result.status(), result.output()));
    }
    return result.output();
  }

  /** As {@link #ctr}, for a command that may fail. */
  public Result tryCtr(String... arguments) throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(List.of(CTR.toString(), "--address", socket().toString()));
    command.addAll(List.of(arguments));
    return run(command);
  }

  /** Has containerd collect garbage now, and returns when it is done. */
  public void collectGarbage() throws IOException, InterruptedException {
    String lease = ctr("leases", "create").strip();
    ctr("leases", "delete", "--sync", lease);
  }

  @Override
  public void close() throws IOException {
    boolean interrupted = Thread.interrupted();
    try {
      Shims shims = new Shims(socket(), directory.resolve("state"));
      shims.end();
      stop();
      shims.removeSockets();
      unmountAll();
      deleteTree(directory);
    } catch (InterruptedException e) {
      interrupted = true;
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  @Override
  public String toString() {
    return "containerd on " + socket();
  }

  private String config(Map<String, Path> snapshotters) {
    StringBuilder toml =
        new StringBuilder(
            """
            version = 2
            root = "%1$s/root"
            state = "%1$s/state"
            disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.devmapper",
              "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
              "io.containerd.snapshotter.v1.zfs", "io.containerd.tracing.processor.v1.otlp",
              "io.containerd.internal.v1.opt"]
            [grpc]
              address = "%1$s/c.sock"
            [debug]
              level = "debug"
            """
                .formatted(directory));
    snapshotters.forEach((name, socket) ->
        toml.append("[proxy_plugins.\"%s\"]\n".formatted(name))
            .append("  type = \"snapshot\"\n")
            .append("  address = \"%s\"\n".formatted(socket)));
    return toml.toString();
  }

  private Path logFile() {
    return directory.resolve("log");
  }

  private void unmountAll() throws IOException, InterruptedException {
    List<String> targets = new ArrayList<>();
    for (String line : Files.readAllLines(Path.of("/proc/self/mounts"))) {
      String target = line.split(" ", -1)[1];
      if (target.startsWith(directory + "/")) {
        targets.addFirst(target);
      }
    }
    for (String target : targets) {
      run(List.of("umount", "-l", target));
    }
  }

  private static Result run(List<String> command) throws IOException, InterruptedException {
    Path output = Files.createTempFile("slc", ".out");
    try {
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .start();
      boolean ended = false;
      try {
        ended = process.waitFor(COMMAND_LIMIT.toSeconds(), TimeUnit.SECONDS);
      } finally {
        if (!ended) {
          process.destroyForcibly();
        }
      }
      String text = Files.readString(output, StandardCharsets.ISO_8859_1);
      if (!ended) {
        throw new IOException("%s: no end after %s: %s".formatted(command, COMMAND_LIMIT, text));
      }
      return new Result(process.exitValue(), text);
    } finally {
      Files.delete(output);
    }
  }

  private static void end(Process process) {
    process.destroy();
    boolean interrupted = Thread.interrupted();
    try {
      if (!process.waitFor(STOP_LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
        process.destroyForcibly();
        process.waitFor(STOP_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
      }
    } catch (InterruptedException e) {
      interrupted = true;
      process.destroyForcibly();
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
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

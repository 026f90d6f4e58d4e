package sluice.command;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The {@code sluice} command in a process of its own. Closing it kills it. */
final class SluiceProcess implements Closeable {

  /** A JVM on a machine that does much else starts within this. */
  static final Duration START_LIMIT = Duration.ofSeconds(60);

  private static final Duration END_LIMIT = Duration.ofSeconds(40);

  private static final Path COMMAND =
      Path.of(System.getProperty("sluice.project"), "bin", "sluice");

  private final Process process;
  private final Path log;

  private SluiceProcess(Process process, Path log) {
    this.process = process;
    this.log = log;
  }

  /** Starts it; what it writes goes to the end of {@code log}. */
  static SluiceProcess start(Path log, Map<String, String> environment, String... arguments)
      throws IOException {
    // What runs in a shell's background ignores SIGINT, and so would all that it starts.
    List<String> command =
        new ArrayList<>(List.of("env", "--default-signal=INT", COMMAND.toString()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
    builder.environment().putAll(QuickJvm.environment(List.of(arguments)));
    builder.environment().putAll(environment);
    return new SluiceProcess(builder.start(), log);
  }

  /** Waits until its log has {@code text}; fails if it ends before. */
  SluiceProcess await(String text) throws IOException, InterruptedException {
    long deadline = System.nanoTime() + START_LIMIT.toNanos();
    while (!log().contains(text)) {
      if (!process.isAlive() || System.nanoTime() > deadline) {
        close();
        throw new AssertionError("sluice did not say \"" + text + "\":\n" + log());
      }
      Thread.sleep(50);
    }
    return this;
  }

  /** What it wrote so far. */
  String log() throws IOException {
    return Files.readString(log);
  }

  long pid() {
    return process.pid();
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** Waits for its end; the exit status. */
  int end(Duration limit) throws IOException, InterruptedException {
    if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
      close();
      throw new AssertionError("sluice did not end within " + limit + ":\n" + log());
    }
    return process.exitValue();
  }

  /** Asks it to end by SIGTERM; the exit status. */
  int stop() throws IOException, InterruptedException {
    process.destroy();
    return end(END_LIMIT);
  }

  /** Asks it to end by SIGINT, as Ctrl-C does; the exit status. */
  int interrupt() throws IOException, InterruptedException {
    Shell.run("kill", "-INT", Long.toString(process.pid())).done();
    return end(END_LIMIT);
  }

  /** As {@code kill -9} does. */
  void kill() throws IOException, InterruptedException {
    process.destroyForcibly();
    var _ = end(END_LIMIT);
  }

  @Override
  public void close() {
    process.destroyForcibly();
    process.onExit().orTimeout(END_LIMIT.toSeconds(), TimeUnit.SECONDS).join();
  }
}

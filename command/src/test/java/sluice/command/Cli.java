package sluice.command;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The {@code sluice} command as a script calls it: in a process, with what it prints apart. */
final class Cli {

  static final Path COMMAND = Path.of(System.getProperty("sluice.project"), "bin", "sluice");
  private static final Duration LIMIT = Duration.ofSeconds(90);

  private Cli() {}

  /** How it ended. */
  record Result(int status, String out, String err) {

    /** What it printed, which must be JSON and nothing else. */
    JsonNode json() throws IOException {
      return new JsonMapper().readTree(out);
    }

    @Override
    public String toString() {
      return "status %d%n%s%n%s".formatted(status, out, err);
    }
  }

  /** Runs it as root. */
  static Result sluice(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(COMMAND.toString()));
    command.addAll(List.of(arguments));
    return run(command, QuickJvm.environment(List.of(arguments)));
  }

  /** Runs it as a user who may do nothing, archives for other runs included. */
  static Result nobody(String... arguments) throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"));
    command.add(COMMAND.toString());
    command.addAll(List.of(arguments));
    return run(command, Map.of("JAVA_HOME", System.getProperty("java.home")));
  }

  private static Result run(List<String> command, Map<String, String> environment)
      throws IOException, InterruptedException {
    Path out = Files.createTempFile("sluice-cli", ".out");
    Path err = Files.createTempFile("sluice-cli", ".err");
    try {
      ProcessBuilder builder =
          new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
      builder.environment().putAll(environment);
      Process process = builder.start();
      if (!process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new AssertionError("%s did not end within %s".formatted(command, LIMIT));
      }
      return new Result(process.exitValue(), Files.readString(out), Files.readString(err));
    } finally {
      Files.delete(out);
      Files.delete(err);
    }
  }
}

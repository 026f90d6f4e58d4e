package sluice.erofs;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs the foreign tools that tests hold our images against. */
final class Commands {

  private static final long LIMIT_SECONDS = 300;

  private Commands() {}

  /** Runs a command that must succeed, and returns what it printed. */
  static String run(String... command) throws IOException, InterruptedException {
    return run(List.of(command));
  }

  static String run(List<String> command) throws IOException, InterruptedException {
    Path output = Files.createTempFile("command", ".out");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
        throw new AssertionError("does not end: " + String.join(" ", command));
      }
      String text = Files.readString(output, StandardCharsets.ISO_8859_1);
      if (process.exitValue() != 0) {
        throw new AssertionError(
            "exit %d: %s%n%s".formatted(process.exitValue(), String.join(" ", command), text));
      }
      return text;
    } finally {
      process.destroyForcibly();
      Files.delete(output);
    }
  }

  static void bash(Path directory, String script) throws IOException, InterruptedException {
    run("bash", "-euc", "cd \"$0\"; " + script, directory.toString());
  }
}

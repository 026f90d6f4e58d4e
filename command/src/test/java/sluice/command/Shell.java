package sluice.command;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Commands of the host, each of which ends in time or fails its test. */
final class Shell {

  private Shell() {}

  /** How a command ended, and what it wrote. */
  record Result(int status, String output) {
    /** What it wrote, if it did what it should. */
    String done() {
      if (status != 0) {
        throw new AssertionError("status " + status + ": " + output);
      }
      return output;
    }
  }

  /** Runs a command; one that does not end within {@code limit} is killed and fails the test. */
  static Result run(Duration limit, List<String> command) throws IOException, InterruptedException {
    Path output = Files.createTempFile("sluice-shell", ".out");
    try {
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .start();
      if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
        process.destroyForcibly();
        throw new AssertionError("%s did not end within %s".formatted(command, limit));
      }
      return new Result(process.exitValue(), Files.readString(output, StandardCharsets.UTF_8));
    } finally {
      Files.deleteIfExists(output);
    }
  }

  /** Runs a command that any machine finishes in a minute. */
  static Result run(String... command) throws IOException, InterruptedException {
    return run(Duration.ofSeconds(60), List.of(command));
  }

  /** The SHA-256 of a file, read by another process; its error, if it can't be read. */
  static Result sha256(Path file) throws IOException, InterruptedException {
    Result result = run("sha256sum", file.toString());
    return result.status == 0 ? new Result(0, result.output.substring(0, 64)) : result;
  }

  /** Unmounts everything below a directory, the last mounted first. */
  static void unmountBelow(Path directory) throws IOException, InterruptedException {
    List<String> targets =
        Files.readAllLines(Path.of("/proc/self/mounts")).stream()
            .map(line -> line.split(" ", -1)[1])
            .filter(target -> target.startsWith(directory + "/"))
            .toList();
    for (String target : targets.reversed()) {
      run("umount", "-l", target).done();
    }
  }
}

package sluice.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The machine that is measured. */
final class Host {

  private static final Path DROP_CACHES = Path.of("/proc/sys/vm/drop_caches");
  private static final Path LOAD = Path.of("/proc/loadavg");

  /** Runnable programs, averaged over a minute: the first number of the file. */
  private static final int LOAD_FIELD = 0;

  private Host() {}

  /** Kernel, processor and Java, in one line. */
  static String description() throws IOException {
    String processor =
        Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
            .filter(line -> line.startsWith("model name"))
            .map(line -> line.substring(line.indexOf(':') + 1).strip())
            .findFirst()
            .orElse(System.getProperty("os.arch"));
    return "Linux %s, %d cores (%s), Java %s"
        .formatted(
            System.getProperty("os.version"),
            Runtime.getRuntime().availableProcessors(),
            processor,
            System.getProperty("java.version"));
  }

  /** The load average of the last minute: what else the machine did shows here. */
  static String load() throws IOException {
    return Files.readString(LOAD).split(" ", -1)[LOAD_FIELD];
  }

  /** Empties the page cache and forgets dentries and inodes. */
  static void dropAll() throws IOException, InterruptedException {
    run(List.of("sync"));
    drop("3");
  }

  /** Forgets dentries and inodes; the page cache of block devices stays. */
  static void dropNames() throws IOException {
    drop("2");
  }

  private static void drop(String what) throws IOException {
    try {
      Files.writeString(DROP_CACHES, what);
    } catch (IOException e) {
      throw new IOException("cannot write " + DROP_CACHES + ": only root may; use sudo", e);
    }
  }

  /** Runs a program, its output thrown away, and waits for it. */
  static void run(List<String> command) throws IOException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.INHERIT);
    builder.environment().put("LC_ALL", "C");
    Process process = builder.start();
    try {
      int status = process.waitFor();
      if (status != 0) {
        throw new IOException(command + " ended with status " + status);
      }
    } finally {
      process.destroy();
    }
  }
}

package sluice.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/**
 * The processes that hold a containerd's containers; they outlive the daemon.
 *
 * @param socket of the daemon, which each of them is told on its command line
 * @param state the daemon's state directory
 */
record Shims(Path socket, Path state) {

  /**
   * What shims of containerd 1.6 begin their addresses with, whatever the daemon's state directory.
   */
  private static final String SOCKETS = "unix:///run/containerd/s/";

  private static final Duration END_LIMIT = Duration.ofSeconds(20);
  private static final int POLL_MILLIS = 50;

  /** Ends them with their containers. */
  void end() throws InterruptedException {
    for (ProcessHandle shim : ProcessHandle.allProcesses().filter(this::isShim).toList()) {
      // A container is a child of its shim; it goes first, so that it is reaped.
      end(shim.descendants().toList());
      end(List.of(shim));
    }
  }

  private boolean isShim(ProcessHandle process) {
    try {
      List<String> words =
          List.of(Files.readString(Path.of("/proc/" + process.pid() + "/cmdline")).split("\0", -1));
      return words.getFirst().contains("containerd-shim") && words.contains(socket.toString());
    } catch (IOException gone) {
      return false;
    }
  }

  private static void end(List<ProcessHandle> processes) throws InterruptedException {
    processes.forEach(ProcessHandle::destroyForcibly);
    long deadline = System.nanoTime() + END_LIMIT.toNanos();
    while (processes.stream().anyMatch(ProcessHandle::isAlive) && System.nanoTime() < deadline) {
      Thread.sleep(POLL_MILLIS);
    }
  }

  /** A shim that was killed leaves its socket in the directory that all containerds share. */
  void removeSockets() throws IOException {
    Path tasks = state.resolve("io.containerd.runtime.v2.task");
    if (!Files.isDirectory(tasks)) {
      return;
    }
    try (Stream<Path> files = Files.find(tasks, 3, (path, a) -> path.endsWith("address"))) {
      for (Path file : files.toList()) {
        String address = Files.readString(file).strip();
        if (address.startsWith(SOCKETS)) {
          Files.deleteIfExists(Path.of(address.substring("unix://".length())));
        }
      }
    }
  }
}

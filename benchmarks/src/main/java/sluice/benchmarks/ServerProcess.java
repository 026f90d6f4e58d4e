package sluice.benchmarks;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.Closeable;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import sluice.core.Digest;
import sluice.fuse.FuseMounts;
import sluice.linux.DeadMounts;

/** A {@link Server} in a process of its own. For one thread; {@link #close} from any. */
final class ServerProcess implements Closeable {

  private static final long END_PATIENCE_SECONDS = 30;

  /** What the daemon has; a later option of the same name wins. */
  private static final String DAEMON_HEAP = "-Xmx1g";

  /** Where the root file system lies in a merged image. */
  private static final String ROOTFS = "fs";

  private final Process process;
  private final Path directory;
  private final BufferedWriter to;
  private final BufferedReader from;

  private ServerProcess(Process process, Path directory) {
    this.process = process;
    this.directory = directory;
    this.to = process.outputWriter();
    this.from = process.inputReader();
  }

  /** Starts one with the options of this JVM. */
  static ServerProcess start(Path directory) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.add(DAEMON_HEAP);
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(Server.class.getName());
    command.add(directory.toString());
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    return new ServerProcess(process, directory);
  }

  /** Mounts an image on a new directory, and gives the root file system in it. */
  Path mount(Target transport, Path image) throws IOException {
    return mount(transport, image, transport.label());
  }

  /** Mounts an image on a new directory of this name, and gives the root file system in it. */
  Path mount(Target transport, Path image, String name) throws IOException {
    Path target = Files.createDirectories(directory.resolve(name));
    ask("%s\t%s\t%s".formatted(transport.label(), image, target));
    return target.resolve(ROOTFS);
  }

  /** How much of the heap is alive after a collection, in bytes. */
  long heapBytes() throws IOException {
    return Long.parseLong(ask(Server.HEAP));
  }

  /** Indexes a {@link TocLayer} into an image. */
  TocIndexing.Took index(Path blob, Digest toc, Path image) throws IOException {
    return TocIndexing.Took.parse(ask("%s\t%s\t%s\t%s".formatted(Server.INDEX, blob, toc, image)));
  }

  /** Lets every fetch hang from now on. */
  void hang() throws IOException {
    ask(Server.HANG);
  }

  /** Lets every fetch fail, those that hang included. */
  void fail() throws IOException {
    ask(Server.FAIL);
  }

  /** How many fetches hang. */
  int waiting() throws IOException {
    return Integer.parseInt(ask(Server.WAITING));
  }

  private String ask(String command) throws IOException {
    to.write(command);
    to.newLine();
    to.flush();
    String answer = from.readLine();
    if (answer == null || !answer.startsWith(Server.DONE)) {
      throw new IOException(
          "the serving process answered \"%s\" with \"%s\"".formatted(command, answer));
    }
    return answer.substring(Server.DONE.length());
  }

  /** Ends the process, which unmounts; what a killed one left mounted is unmounted here. */
  @Override
  public void close() throws IOException {
    try {
      to.close();
      if (!process.waitFor(END_PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    } finally {
      for (Target target : Target.values()) {
        DeadMounts.clear(directory.resolve(target.label()));
      }
      DeadMounts.clearBelow(directory, FuseMounts.TYPE);
    }
  }
}

package sluice.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import sluice.api.containerd.types.Mount;

/** A mount that is there until it is closed. */
public final class Mounted implements AutoCloseable {

  /** mount(2) takes one page of options; what is longer is given relative to the directories. */
  private static final int MAX_OPTION_BYTES = 4000;

  private static final String LOWERS = "lowerdir=";

  private final Path target;

  private Mounted(Path target) {
    this.target = target;
  }

  /** Mounts the only one of {@code mounts} onto {@code target}, which it makes. */
  public static Mounted on(Path target, List<Mount> mounts) throws IOException {
    if (mounts.size() != 1) {
      throw new AssertionError("one mount expected, found " + mounts);
    }
    Mount mount = mounts.getFirst();
    Files.createDirectories(target);
    if (mount.getType().equals("bind")) {
      bind(target, mount);
    } else {
      overlay(target, mount.getOptionsList());
    }
    return new Mounted(target);
  }

  private static void bind(Path target, Mount mount) throws IOException {
    run(Path.of("/"), "mount", "--rbind", mount.getSource(), target.toString());
    if (mount.getOptionsList().contains("ro")) {
      run(Path.of("/"), "mount", "-o", "remount,bind,ro", target.toString());
    }
  }

  /** As containerd does: from the directory that all lowers have in common. */
  public static void overlay(Path target, List<String> options) throws IOException {
    String joined = String.join(",", options);
    Path directory = Path.of("/");
    if (joined.length() > MAX_OPTION_BYTES) {
      List<Path> lowers =
          options.stream()
              .filter(option -> option.startsWith(LOWERS))
              .flatMap(option -> Stream.of(option.substring(LOWERS.length()).split(":", -1)))
              .map(Path::of)
              .toList();
      directory = common(lowers);
      Path base = directory;
      String relative =
          lowers.stream()
              .map(path -> base.relativize(path).toString())
              .collect(Collectors.joining(":"));
      List<String> compact = new ArrayList<>(options);
      compact.removeIf(option -> option.startsWith(LOWERS));
      compact.add(LOWERS + relative);
      joined = String.join(",", compact);
    }
    run(directory, "mount", "-t", "overlay", "overlay", "-o", joined, target.toString());
  }

  private static Path common(List<Path> paths) {
    Path first = paths.getFirst();
    for (int names = first.getNameCount(); names > 0; names--) {
      Path prefix = Path.of("/").resolve(first.subpath(0, names));
      if (paths.stream().allMatch(path -> path.startsWith(prefix))) {
        return prefix;
      }
    }
    return Path.of("/");
  }

  public Path target() {
    return target;
  }

  @Override
  public void close() {
    try {
      run(Path.of("/"), "umount", target.toString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Unmounts everything below a directory, the newest first; for the end of a test that failed. */
  public static void clear(Path directory) throws IOException {
    List<String> targets = new ArrayList<>();
    for (String line : Files.readAllLines(Path.of("/proc/self/mounts"))) {
      String target = line.split(" ", -1)[1];
      if (target.startsWith(directory + "/")) {
        targets.addFirst(target);
      }
    }
    for (String target : targets) {
      run(Path.of("/"), "umount", "-l", target);
    }
  }

  public static void run(Path directory, String... command) throws IOException {
    Process process =
        new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      int status = process.waitFor();
      if (status != 0) {
        throw new IOException("%s: status %d: %s".formatted(List.of(command), status, output));
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
      throw new IOException("interrupted during " + List.of(command), e);
    }
  }
}

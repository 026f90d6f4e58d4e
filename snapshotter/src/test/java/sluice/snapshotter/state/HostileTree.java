package sluice.snapshotter.state;

import java.io.IOException;
import java.nio.file.Path;

/**
 * Trees as a container can make them in its writable layer, made and cleared by other tools than
 * ours: the Java platform can neither.
 */
final class HostileTree {

  /** Levels of {@link #deep}: the path of the lowest one has a megabyte. */
  static final int LEVELS = 10_000;

  private HostileTree() {}

  /** {@link #LEVELS} directories, one in another, each with a file beside it. */
  static void deep(Path directory) throws IOException, InterruptedException {
    run(
        directory,
        "perl",
        "-e",
        "my $d = 'd' x 100; for (1.."
            + LEVELS
            + ") { open(my $f, '>', 'f') or die $!; mkdir $d or die $!; chdir $d or die $!; }");
  }

  /** A directory with a file in it; neither name is text in UTF-8. */
  static void bytes(Path directory) throws IOException, InterruptedException {
    run(
        directory,
        "bash",
        "-c",
        "d=$(printf 'a\\377\\200%% ?#\\n.'); mkdir \"$d\"; printf %09999d 1 > \"$d/$d\"; sync .");
  }

  /** As {@code chattr}: {@code +i} makes a file that not even root may delete. */
  static void attribute(Path file, String change) throws IOException, InterruptedException {
    run(Path.of("/"), "chattr", change, file.toString());
  }

  static void delete(Path tree) throws IOException, InterruptedException {
    run(Path.of("/"), "rm", "-rf", tree.toString());
  }

  private static void run(Path directory, String... command)
      throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).directory(directory.toFile()).inheritIO().start();
    int status = process.waitFor();
    if (status != 0) {
      throw new IOException(String.join(" ", command) + ": status " + status);
    }
  }
}

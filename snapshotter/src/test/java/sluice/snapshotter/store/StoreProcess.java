package sluice.snapshotter.store;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import sluice.snapshotter.state.Kind;
import sluice.snapshotter.state.SnapshotKey;
import sluice.snapshotter.state.Usage;

/** A process of its own for tests that end one in the middle of its work. */
final class StoreProcess {

  private StoreProcess() {}

  /** Runs {@link #main} with the class path of this process. */
  static ProcessBuilder builder(String... arguments) {
    String classPath =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                "--enable-native-access=ALL-UNNAMED",
                "-Dorg.sqlite.tmpdir="
                    + System.getProperty("org.sqlite.tmpdir", System.getProperty("java.io.tmpdir")),
                "-cp",
                classPath,
                StoreProcess.class.getName()));
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command);
  }

  /**
   * {@code lock ROOT} takes the lock of a root directory; {@code work FILE FIRST} changes a store
   * until it is killed, and says each change once it was acknowledged.
   */
  @SuppressWarnings("SystemOut") // another process reads it
  public static void main(String[] arguments) throws IOException {
    PrintStream out = System.out;
    if (arguments[0].equals("lock")) {
      try (RootLock lock = RootLock.take(Path.of(arguments[1]))) {
        out.println(lock == null ? "" : "taken");
      } catch (IOException e) {
        out.println(e.getMessage());
      }
    } else {
      work(Path.of(arguments[1]), Integer.parseInt(arguments[2]), out);
    }
  }

  private static void work(Path file, int first, PrintStream out) throws IOException {
    try (SqliteSnapshotStore store = SqliteSnapshotStore.open(file, InstantSource.system())) {
      for (int i = first; i < first + 1_000_000; i++) {
        SnapshotKey key = new SnapshotKey("s", "key" + i);
        var _ = store.create(key, Kind.ACTIVE, null, Map.of("n", String.valueOf(i)));
        out.println("created key" + i);
        if (i % 3 == 0) {
          store.remove(key);
          out.println("removed key" + i);
        } else {
          var _ = store.commit(key, "name" + i, Map.of(), new Usage(i, 1));
          out.println("committed name" + i);
        }
        out.flush();
      }
    }
  }
}

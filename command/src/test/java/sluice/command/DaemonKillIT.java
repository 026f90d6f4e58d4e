package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.testing.DockerRegistry;
import sluice.testing.Fixtures;
import sluice.testing.LayoutPush;

/**
 * The daemon killed under readers, and started again while its registry is stopped.
 *
 * <p>Whoever has files of the image open meanwhile gets errors (ENOTCONN, or EIO), never other
 * bytes, and does not hang; a container goes on once it is started again.
 */
@Timeout(400)
final class DaemonKillIT {

  private static final Logger LOG = LoggerFactory.getLogger(DaemonKillIT.class);

  private static final Fixtures SMALL = Fixtures.of("small");
  private static final String TAG = "nydus-chunk";
  private static final int ROUNDS = 3;

  /** Read before the daemon dies. */
  private static final String CACHED = "dup/block";

  private final List<Process> readers = new ArrayList<>();
  private DockerRegistry registry;
  private Node node;

  @BeforeEach
  void start() throws Exception {
    registry = DockerRegistry.open();
    LayoutPush.push(SMALL.directory(), registry.host(), "small");
    node = Node.start();
  }

  @AfterEach
  void stop() throws Exception {
    readers.forEach(Process::destroyForcibly);
    node.close();
    registry.close();
  }

  @Test
  void kill_atRandomMoments_losesNothingThatWasCached() throws Exception {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    Path target = container();
    for (int round = 0; round < ROUNDS; round++) {
      assertThat(Shell.sha256(target.resolve(CACHED)).done()).isEqualTo(expected(CACHED));
      List<String> files = files();
      for (int reader = 0; reader < 8; reader++) {
        readAll(target, files.subList(reader * files.size() / 8, files.size()));
      }
      long millis = random.nextInt(600);
      LOG.info("seed {}, round {}: killed after {} ms", seed, round, millis);
      Thread.sleep(millis);
      node.daemon().kill();
      target = assertRecovered(target, "again" + round, files);
    }
  }

  @Test
  void kill_betweenDataAndMap_fetchesThatChunkAgain() throws Exception {
    Path target = container();
    assertThat(Shell.sha256(target.resolve(CACHED)).done()).isEqualTo(expected(CACHED));
    node.daemon().kill();
    Shell.run("umount", "-l", target.toString()).done();
    node.restart(Map.of("SLUICE_FAILPOINT", "DATA_WRITTEN:3"));
    target = SnapshotCaller.mount(node.client().mounts("container"), node.target("second"));
    List<String> files = files();
    readAll(target, files);
    assertThat(node.daemon().end(Duration.ofSeconds(60))).isEqualTo(137);
    target = assertRecovered(target, "again", List.of(CACHED));
    for (String file : files) {
      assertThat(Shell.sha256(target.resolve(file)).done()).as(file).isEqualTo(expected(file));
    }
  }

  /** Starts the daemon with the registry stopped; the registry runs again afterwards. */
  private Path assertRecovered(Path old, String name, List<String> files) throws Exception {
    for (Process reader : readers) {
      assertThat(reader.waitFor(30, TimeUnit.SECONDS)).isTrue();
    }
    readers.clear();
    Shell.Result dead = Shell.sha256(old.resolve("data/text0"));
    assertThat(dead.status()).isEqualTo(1);
    assertThat(dead.output())
        .containsAnyOf("Transport endpoint is not connected", "Input/output error");
    registry.stop();
    Shell.run("umount", "-l", old.toString()).done();
    node.restart(Map.of());
    Path target = SnapshotCaller.mount(node.client().mounts("container"), node.target(name));
    assertThat(Shell.sha256(target.resolve(CACHED)).done()).isEqualTo(expected(CACHED));
    // What the cache lacks is tried at the registry for seconds; a few files show it.
    for (String file : files.subList(0, Math.min(3, files.size()))) {
      Shell.Result read = Shell.sha256(target.resolve(file));
      if (read.status() == 0) {
        assertThat(read.output()).as(file).isEqualTo(expected(file));
      } else {
        assertThat(read.output()).as(file).contains("Input/output error");
      }
    }
    registry.start();
    return target;
  }

  private Path container() throws Exception {
    return SnapshotCaller.mount(
        node.client().container("container", SMALL, TAG, registry.host() + "/small:" + TAG),
        node.target("first"));
  }

  /** Starts a process that reads files until one fails. */
  private void readAll(Path target, List<String> files) throws IOException {
    List<String> command = new ArrayList<>(List.of("cat"));
    files.forEach(file -> command.add(target.resolve(file).toString()));
    readers.add(
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start());
  }

  /** The files of two directories, which are those with the most to fetch. */
  private static List<String> files() throws IOException {
    return Expected.files(SMALL).stream()
        .filter(file -> file.startsWith("data/") || file.startsWith("dup/"))
        .toList();
  }

  private static String expected(String path) throws IOException {
    return Expected.sha256(SMALL, path);
  }
}

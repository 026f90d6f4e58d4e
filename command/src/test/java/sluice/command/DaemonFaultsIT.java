package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sluice.api.containerd.types.Mount;
import sluice.core.Digest;
import sluice.testing.DockerRegistry;
import sluice.testing.FaultyRegistry;
import sluice.testing.Fixtures;
import sluice.testing.LayoutPush;
import sluice.testing.RegistryFault;

/** The daemon under readers in other processes, while a registry fails. */
@Timeout(300)
final class DaemonFaultsIT {

  private static final Logger LOG = LoggerFactory.getLogger(DaemonFaultsIT.class);

  private static final Fixtures SMALL = Fixtures.of("small");
  private static final Fixtures SECOND = Fixtures.of("second");
  private static final Fixtures READER = Fixtures.of("reader");
  private static final int READERS = 64;
  private static final int BLOCK = 4096;

  /** The blob of {@code small} that {@code second} shares. */
  private static final Digest SHARED = SMALL.document("nydus-zstd").layers().getFirst().digest();

  /**
   * No machine is so busy that a cached read takes as long as this; one that waited for the
   * registry would take longer. {@code bin/benchmark stall} measures what it does take.
   */
  private static final long STALLED_NANOS = Duration.ofSeconds(1).toNanos();

  private final List<Process> readers = new ArrayList<>();
  private DockerRegistry behind;
  private FaultyRegistry registry;
  private Node node;

  @BeforeEach
  void start() throws Exception {
    behind = DockerRegistry.open();
    registry = FaultyRegistry.before(behind);
    LayoutPush.push(SMALL.directory(), behind.host(), "small");
    // The layout of the second image lacks the blob that it shares.
    LayoutPush.push(SMALL.directory(), behind.host(), "second");
    LayoutPush.push(SECOND.directory(), behind.host(), "second");
    LayoutPush.push(READER.directory(), behind.host(), "reader");
    node = Node.start();
  }

  @AfterEach
  void stop() throws Exception {
    registry.mend();
    readers.forEach(Process::destroyForcibly);
    node.close();
    registry.close();
    behind.close();
  }

  @Test
  void oneChunk_readBy64ThroughTwoImages_isFetchedOnce() throws Exception {
    Path small = container("small", SMALL, "nydus-zstd", registry.host() + "/small:nydus-zstd");
    Path second = container("second", SECOND, "nydus-dict", registry.host() + "/second:nydus-dict");
    registry.forgetRequests();
    // Nobody gets an answer before all of them have asked.
    registry.fail(request -> request.isFor(SHARED), new RegistryFault.Hang());
    for (int reader = 0; reader < READERS; reader++) {
      Path file = reader % 2 == 0 ? small.resolve("dup/block") : second.resolve("app/block");
      read(file, reader);
    }
    awaitRequest();
    Thread.sleep(2000);
    registry.mend();
    for (Process reader : readers) {
      assertThat(reader.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(reader.exitValue()).isZero();
    }
    assertThat(registry.requestsFor(SHARED)).hasSize(1);
    String content = Expected.sha256(SMALL, "dup/block");
    assertThat(Shell.sha256(small.resolve("dup/block")).done()).isEqualTo(content);
    assertThat(Shell.sha256(second.resolve("app/block")).done()).isEqualTo(content);
    assertThat(registry.requestsFor(SHARED)).hasSize(1);
  }

  @Test
  void hangingRegistry_stopsNoOtherImage_andItsReadersCanBeKilled() throws Exception {
    Path waiting = container("a", SMALL, "nydus-zstd", registry.host() + "/small:nydus-zstd");
    Path cached = container("b", READER, "nydus-zstd", behind.host() + "/reader:nydus-zstd");
    Path file = cached.resolve(largest(cached));
    registry.fail(new RegistryFault.Hang());
    for (int reader = 0; reader < READERS; reader++) {
      read(waiting.resolve("data/big"), reader * 12);
    }
    awaitRequest();
    assertThat(medianP99(file)).isLessThan(STALLED_NANOS);

    Path other = container("c", SECOND, "nydus-dict", behind.host() + "/second:nydus-dict");
    assertThat(Shell.sha256(other.resolve("app/own")).done())
        .isEqualTo(Expected.sha256(SECOND, "app/own"));

    assertThat(readers).allMatch(Process::isAlive);
    readers.forEach(Process::destroyForcibly);
    for (Process reader : readers) {
      assertThat(reader.waitFor(20, TimeUnit.SECONDS)).isTrue();
    }
    registry.mend();
    assertThat(Shell.sha256(waiting.resolve("data/big")).done())
        .isEqualTo(Expected.sha256(SMALL, "data/big"));
  }

  @Test
  void holderThatGivesWrongBytes_isAskedOnceAndThenTheOther() throws Exception {
    try (FaultyRegistry honest = FaultyRegistry.before(behind);
        SnapshotCaller other = SnapshotCaller.to(node.socket(), "other")) {
      Path tree = container("a", SMALL, "nydus-zstd", honest.host() + "/small:nydus-zstd");
      // Who answered last is asked first, and fails first.
      var _ = other.container("b", SMALL, "nydus-zstd", registry.host() + "/small:nydus-zstd");
      // Requests that nobody answers show where in the blob the chunk begins.
      registry.fail(request -> request.isFor(SHARED), new RegistryFault.Status(404));
      honest.fail(request -> request.isFor(SHARED), new RegistryFault.Status(404));
      assertThat(Shell.sha256(tree.resolve("dup/block")).status()).isEqualTo(1);
      long chunk = honest.requestsFor(SHARED).getFirst().range().orElseThrow().first();
      honest.mend();
      registry.fail(request -> request.isFor(SHARED), new RegistryFault.WrongByte(chunk + 100));
      registry.forgetRequests();
      honest.forgetRequests();

      assertThat(Shell.sha256(tree.resolve("dup/block")).done())
          .isEqualTo(Expected.sha256(SMALL, "dup/block"));
      assertThat(registry.requestsFor(SHARED)).hasSize(1);
      assertThat(honest.requestsFor(SHARED)).hasSize(1);

      assertThat(Shell.sha256(tree.resolve("data/big")).done())
          .isEqualTo(Expected.sha256(SMALL, "data/big"));
      assertThat(registry.requestsFor(SHARED)).hasSize(1);
      assertThat(honest.requestsFor(SHARED)).hasSizeGreaterThan(1);
    }
  }

  /** Nothing of the image's data is asked for: the deadline is for manifest and tree. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void prepare_whileTheRegistryHangs_fallsBackWithTheReason(boolean manifestToo) throws Exception {
    Digest tree = SMALL.document("nydus-zstd").layers().getLast().digest();
    try (Node impatient = Node.start(Duration.ofSeconds(5))) {
      registry.fail(request -> manifestToo || request.isFor(tree), new RegistryFault.Hang());
      String image = registry.host() + "/small:nydus-zstd";
      List<Mount> mounts = impatient.client().ordinaryLayer("a", SMALL, "nydus-zstd", image);
      assertThat(mounts).singleElement().extracting(Mount::getType).isEqualTo("bind");
      assertThat(impatient.daemon().log()).contains(image, "were not there in time");
      assertThat(status(impatient)).contains(image, "were not there in time");

      registry.mend();
      Path mended =
          SnapshotCaller.mount(
              impatient.client().container("b", SMALL, "nydus-zstd", image), impatient.target("b"));
      assertThat(Shell.sha256(mended.resolve("dup/block")).done())
          .isEqualTo(Expected.sha256(SMALL, "dup/block"));
    }
  }

  private static String status(Node node) throws Exception {
    Path log = node.directory().resolve("status");
    try (SluiceProcess status =
        SluiceProcess.start(log, Map.of(), "status", "--address", node.socket().toString())) {
      assertThat(status.end(SluiceProcess.START_LIMIT)).isZero();
      return status.log();
    }
  }

  private Path container(String key, Fixtures image, String tag, String reference)
      throws IOException, InterruptedException {
    return SnapshotCaller.mount(
        node.client().container(key, image, tag, reference), node.target(key));
  }

  /** Starts a process that reads one block, past the page cache. */
  private void read(Path file, int block) throws IOException {
    readers.add(
        new ProcessBuilder(
                "dd",
                "if=" + file,
                "of=/dev/null",
                "bs=" + BLOCK,
                "count=1",
                "skip=" + block,
                "iflag=direct",
                "status=none")
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start());
  }

  private void awaitRequest() throws InterruptedException {
    long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    while (registry.requestsFor(SHARED).isEmpty()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("nobody asked for " + SHARED + ": " + registry.requests());
      }
      Thread.sleep(20);
    }
  }

  private static String largest(Path tree) throws IOException, InterruptedException {
    String largest = "";
    long most = 0;
    for (String path : Expected.files(READER)) {
      long size =
          Long.parseLong(
              Shell.run("stat", "-c", "%s", tree.resolve(path).toString()).done().strip());
      if (size > most) {
        most = size;
        largest = path;
      }
    }
    return largest;
  }

  private static long medianP99(Path file) throws IOException, InterruptedException {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    long[] windows =
        Shell.run(
                Duration.ofMinutes(2),
                List.of(
                    java,
                    "-cp",
                    System.getProperty("java.class.path"),
                    ReadLatency.class.getName(),
                    file.toString()))
            .done()
            .lines()
            .mapToLong(Long::parseLong)
            .sorted()
            .toArray();
    assertThat(windows).hasSize(ReadLatency.WINDOWS);
    LOG.info("p99 of windows: {}", Arrays.toString(windows));
    return windows[ReadLatency.WINDOWS / 2];
  }
}

package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sluice.core.Bytes;
import sluice.core.ChainId;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.testing.DockerRegistry;
import sluice.testing.Fixtures;
import sluice.testing.LayoutPush;
import sluice.testing.PrivateContainerd;

/** An ordinary image that was streamed once is lazy from then on, whatever else is lost. */
@Timeout(300)
final class OwnIndexIT {

  private static final Duration WITHIN = Duration.ofSeconds(60);

  /** A file of the lowest layer, which has 15 MB in four spans. */
  private static final String FILE = "dup/block-2";

  private final Fixtures small = Fixtures.of("small");
  private final List<Descriptor> layers = small.document(Fixtures.SOURCE).layers();

  @TempDir private Path temporary;
  private DockerRegistry registry;
  private Node node;
  private PrivateContainerd containerd;

  @BeforeEach
  void start() throws Exception {
    registry = DockerRegistry.open();
    LayoutPush.push(small.directory(), registry.host(), "small");
    node = Node.start();
    containerd = PrivateContainerd.start(Map.of("sluice", node.socket()));
  }

  @AfterEach
  void stop() throws Exception {
    Shell.unmountBelow(temporary);
    containerd.close();
    node.close();
    registry.close();
  }

  @Test
  void imageThatStreamedOnce_afterLosingItsDataAndAfterRemoval_isFetchedAsItIsRead()
      throws Exception {
    assertThat(pull()).containsOnly("lazy");
    assertThat(fetchedBytes()).isGreaterThanOrEqualTo(wholeBytes());
    await(() -> entries("indexes").size() == layers.size());

    // The cache is lost; the store names trees that were streamed.
    containerd.stop();
    assertThat(node.daemon().stop()).isZero();
    deleteBelow(root().resolve("devices"));
    node.restart(Map.of());
    containerd.start();
    long before = fetchedBytes();
    assertShowsFile();
    assertThat(fetchedBytes() - before).isPositive().isLessThan(wholeBytes() / 2);

    containerd.ctr("images", "rm", "--sync", image());
    containerd.collectGarbage();
    await(() -> entries("layers").isEmpty());
    assertThat(entries("indexes")).hasSize(layers.size());

    before = fetchedBytes();
    assertThat(pull()).containsOnly("lazy");
    assertThat(fetchedBytes()).isEqualTo(before);
    assertShowsFile();
    assertThat(fetchedBytes() - before).isPositive().isLessThan(wholeBytes() / 2);
  }

  /** Pulls the image; what became of each of its layers. */
  private List<String> pull() throws IOException, InterruptedException {
    try (SluiceProcess sluice =
        SluiceProcess.start(
            temporary.resolve("pull-" + System.nanoTime()),
            Map.of(),
            "pull",
            "--containerd",
            containerd.socket().toString(),
            "--json",
            image())) {
      assertThat(sluice.end(SluiceProcess.START_LIMIT)).as(sluice.log()).isZero();
      JsonNode states = new JsonMapper().readTree(sluice.log()).required("layers");
      return states.valueStream().map(layer -> layer.required("state").textValue()).toList();
    }
  }

  /** Mounts the image as a container would, and reads a file. */
  private void assertShowsFile() throws Exception {
    Path target = Files.createDirectories(temporary.resolve("seen"));
    snapshots(
        "prepare", "look", ChainId.ofAll(small.diffIds(Fixtures.SOURCE)).getLast().toString());
    Shell.run("sh", "-c", snapshots("mounts", target.toString(), "look")).done();
    try {
      assertThat(Digest.sha256(Files.readAllBytes(target.resolve(FILE))))
          .isEqualTo(
              Objects.requireNonNull(small.expected().entries().get(Bytes.utf8(FILE))).content());
    } finally {
      Shell.run("umount", target.toString()).done();
    }
    snapshots("rm", "look");
  }

  private String snapshots(String... words) throws Exception {
    return containerd.ctr(
        Stream.concat(Stream.of("snapshots", "--snapshotter", "sluice"), Arrays.stream(words))
            .toArray(String[]::new));
  }

  /** What the registry gave of the layers; it logs an answer a moment after its end. */
  private long fetchedBytes() throws Exception {
    Thread.sleep(300);
    return registry.requests().stream()
        .filter(request -> request.startsWith("GET"))
        .filter(request ->
            layers.stream().anyMatch(layer -> request.contains(layer.digest().toString())))
        .mapToLong(request -> Long.parseLong(request.substring(request.lastIndexOf(' ') + 1)))
        .sum();
  }

  private long wholeBytes() {
    return layers.stream().mapToLong(Descriptor::sizeBytes).sum();
  }

  /** What something takes until it is true. */
  @FunctionalInterface
  private interface Condition {
    boolean holds() throws IOException;
  }

  private static void await(Condition condition) throws Exception {
    long deadline = System.nanoTime() + WITHIN.toNanos();
    while (!condition.holds()) {
      assertThat(System.nanoTime()).isLessThan(deadline);
      Thread.sleep(100);
    }
  }

  private List<String> entries(String directory) throws IOException {
    try (Stream<Path> files = Files.list(root().resolve(directory))) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> !name.startsWith("."))
          .toList();
    }
  }

  private static void deleteBelow(Path directory) throws IOException {
    try (Stream<Path> tree = Files.walk(directory)) {
      for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
        if (!path.equals(directory)) {
          Files.delete(path);
        }
      }
    }
  }

  private Path root() {
    return node.directory().resolve("root");
  }

  private String image() {
    return registry.host() + "/small:" + Fixtures.SOURCE;
  }
}

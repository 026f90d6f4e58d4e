package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import sluice.core.Bytes;
import sluice.core.ChainId;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.testing.DockerRegistry;
import sluice.testing.Fixtures;
import sluice.testing.LayoutPush;

/** An ordinary image that was streamed once is lazy from then on, whatever else is lost. */
@Timeout(300)
final class OwnIndexIT {

  /** A file of the lowest layer, which has 15 MB in four spans. */
  private static final String FILE = "dup/block-2";

  private final Fixtures small = Fixtures.of("small");
  private final List<Descriptor> layers = small.document(Fixtures.SOURCE).layers();

  private DockerRegistry registry;
  private ContainerdNode node;

  @BeforeEach
  void start() throws Exception {
    registry = DockerRegistry.open();
    LayoutPush.push(small.directory(), registry.host(), "small");
    node = ContainerdNode.of(Node.start());
  }

  @AfterEach
  void stop() throws Exception {
    node.close();
    registry.close();
  }

  @Test
  void imageThatStreamedOnce_afterLosingItsDataAndAfterRemoval_isFetchedAsItIsRead()
      throws Exception {
    assertThat(node.states(image())).containsOnly("lazy");
    assertThat(fetchedBytes()).isGreaterThanOrEqualTo(wholeBytes());
    Await.until("all indexes", () -> entries("indexes").size() == layers.size());

    // The cache is lost; the store names trees that were streamed.
    node.containerd().stop();
    assertThat(node.node().daemon().stop()).isZero();
    deleteBelow(root().resolve("devices"));
    node.node().restart(Map.of());
    node.containerd().start();
    long before = fetchedBytes();
    assertShowsFile();
    assertThat(fetchedBytes() - before).isPositive().isLessThan(wholeBytes() / 2);

    node.remove(image());
    Await.until("the removal of the layers", () -> entries("layers").isEmpty());
    assertThat(entries("indexes")).hasSize(layers.size());

    before = fetchedBytes();
    assertThat(node.states(image())).containsOnly("lazy");
    assertThat(fetchedBytes()).isEqualTo(before);
    assertShowsFile();
    assertThat(fetchedBytes() - before).isPositive().isLessThan(wholeBytes() / 2);
  }

  /** Reads a file as a container would. */
  private void assertShowsFile() throws Exception {
    byte[] content =
        node.look(
            ChainId.ofAll(small.diffIds(Fixtures.SOURCE)).getLast(),
            directory -> Files.readAllBytes(directory.resolve(FILE)));
    assertThat(Digest.sha256(content))
        .isEqualTo(
            Objects.requireNonNull(small.expected().entries().get(Bytes.utf8(FILE))).content());
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
    return node.node().directory().resolve("root");
  }

  private String image() {
    return registry.host() + "/small:" + Fixtures.SOURCE;
  }
}

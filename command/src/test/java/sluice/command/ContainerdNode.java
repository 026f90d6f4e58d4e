package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import sluice.core.Digest;
import sluice.testing.PrivateContainerd;
import sluice.testing.Tree;
import sluice.testing.TreeListing;

/**
 * A daemon and a containerd that pulls through it, as {@code sluice pull} and {@code ctr} use them.
 * Closing it ends both.
 */
final class ContainerdNode implements Closeable {

  private static final String SLUICE = "sluice";

  private final Node node;
  private final PrivateContainerd containerd;

  private ContainerdNode(Node node, PrivateContainerd containerd) {
    this.node = node;
    this.containerd = containerd;
  }

  /** Takes {@code node} over, also if this fails, and starts a containerd for it. */
  static ContainerdNode of(Node node) throws IOException, InterruptedException {
    try {
      return new ContainerdNode(node, PrivateContainerd.start(Map.of(SLUICE, node.socket())));
    } catch (IOException | InterruptedException | RuntimeException e) {
      try (node) {
        throw e;
      }
    }
  }

  Node node() {
    return node;
  }

  PrivateContainerd containerd() {
    return containerd;
  }

  /** Pulls an image; what became of each of its layers, as the command tells it. */
  List<JsonNode> pull(String image) throws IOException, InterruptedException {
    Cli.Result pulled = tryPull("--json", image);
    assertThat(pulled.status()).as("%s", pulled).isZero();
    return pulled.json().required("layers").valueStream().toList();
  }

  /** Pulls an image; the state of each of its layers. */
  List<String> states(String image) throws IOException, InterruptedException {
    return pull(image).stream().map(layer -> layer.required("state").textValue()).toList();
  }

  /** A pull that may fail. */
  Cli.Result tryPull(String... arguments) throws IOException, InterruptedException {
    return Cli.sluice(
        Stream.concat(
                Stream.of(
                    "pull",
                    "--containerd",
                    containerd.socket().toString(),
                    "--address",
                    node.socket().toString()),
                Arrays.stream(arguments))
            .toArray(String[]::new));
  }

  /** Reads something of a directory. */
  @FunctionalInterface
  interface Look<T> {
    T at(Path directory) throws Exception;
  }

  /** What a container sees that stands on the chain; a View of ctr's might be collected. */
  Tree tree(Digest chain) throws Exception {
    return tree(SLUICE, chain);
  }

  /** What a container of another snapshotter sees. */
  Tree tree(String snapshotter, Digest chain) throws Exception {
    return look(snapshotter, chain, TreeListing::of);
  }

  /** Mounts what a container sees that stands on the chain, and has a look at it. */
  <T> T look(Digest chain, Look<T> look) throws Exception {
    return look(SLUICE, chain, look);
  }

  private <T> T look(String snapshotter, Digest chain, Look<T> look) throws Exception {
    Path target = Files.createDirectories(node.target("look"));
    prepare(snapshotter, chain);
    Shell.run("sh", "-c", snapshots(snapshotter, "mounts", target.toString(), "look")).done();
    try {
      return look.at(target);
    } finally {
      Shell.run("umount", target.toString()).done();
      snapshots(snapshotter, "rm", "look");
    }
  }

  /** Asks for the mounts of a container on the chain, as far as there are any. */
  void prepare(Digest chain) throws IOException, InterruptedException {
    prepare(SLUICE, chain);
  }

  private void prepare(String snapshotter, Digest chain) throws IOException, InterruptedException {
    snapshots(snapshotter, "prepare", "look", chain.toString());
  }

  private String snapshots(String snapshotter, String... words)
      throws IOException, InterruptedException {
    return containerd.ctr(
        Stream.concat(Stream.of("snapshots", "--snapshotter", snapshotter), Arrays.stream(words))
            .toArray(String[]::new));
  }

  /** Removes images, and returns when nothing is left that only they needed. */
  void remove(String... images) throws IOException, InterruptedException {
    containerd.ctr(
        Stream.concat(Stream.of("images", "rm", "--sync"), Arrays.stream(images))
            .toArray(String[]::new));
    containerd.collectGarbage();
  }

  @Override
  public void close() throws IOException {
    try (node) {
      containerd.close();
    }
  }
}

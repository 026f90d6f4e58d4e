package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import sluice.command.config.Config;
import sluice.testing.DockerRegistry;
import sluice.testing.Fixtures;
import sluice.testing.LayoutPush;
import sluice.testing.PrivateContainerd;

/** What containerd has of an image is not asked of the registry again. */
@Timeout(300)
final class LocalContentIT {

  private static final Fixtures READER = Fixtures.of("reader");

  private Path directory;
  private DockerRegistry registry;
  private PrivateContainerd containerd;

  @BeforeEach
  void start() throws Exception {
    directory = Files.createTempDirectory("slr");
    registry = DockerRegistry.open();
    LayoutPush.push(READER.directory(), registry.host(), "reader");
    containerd = PrivateContainerd.start(Map.of("sluice", directory.resolve("s.sock")));
  }

  @AfterEach
  void stop() throws Exception {
    containerd.close();
    registry.close();
    try (Stream<Path> tree = Files.walk(directory)) {
      for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"nydus-zstd", Fixtures.SOURCE})
  void pull_asksForEachDocumentOnce(String tag) throws Exception {
    try (Daemon _ = daemon(containerd.socket())) {
      pull("one", tag);
      assertThat(documents(tag)).hasSize(2).doesNotHaveDuplicates();
    }
  }

  @Test
  void containerdThatDoesNotAnswer_costsRequestsAlone() throws Exception {
    try (Daemon _ = daemon(directory.resolve("nobody.sock"))) {
      pull("one", "nydus-zstd");
      assertThat(documents("nydus-zstd")).hasSizeGreaterThan(2);
    }
    Path silent = directory.resolve("silent.sock");
    try (ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      listener.bind(UnixDomainSocketAddress.of(silent));
      try (Daemon _ = daemon(silent)) {
        pull("two", Fixtures.SOURCE);
      }
    }
  }

  private Daemon daemon(Path content) throws IOException {
    Config defaults = Config.DEFAULTS;
    return Daemon.start(
        new Config(
            "test",
            directory.resolve("root"),
            directory.resolve("s.sock"),
            defaults.logLevel(),
            defaults.mount(),
            defaults.fuse(),
            defaults.pull(),
            defaults.trust(),
            defaults.index(),
            new Config.Metrics(""),
            new Config.Containerd(content)));
  }

  private void pull(String namespace, String tag) throws Exception {
    Cli.Result result =
        Cli.sluice(
            "pull",
            "--containerd",
            containerd.socket().toString(),
            "--namespace",
            namespace,
            "--address",
            directory.resolve("s.sock").toString(),
            "--json",
            registry.host() + "/reader:" + tag);
    assertThat(result.status()).as(result.toString()).isZero();
    assertThat(result.json().get("layers").findValuesAsText("state")).containsOnly("lazy");
  }

  /** The requests for the image's manifest, by whatever name, and for its configuration. */
  private List<String> documents(String tag) throws Exception {
    // The registry logs an answer a moment after its end.
    Thread.sleep(300);
    String config = READER.document(tag).config().digest().toString();
    return registry.requests().stream()
        .filter(request -> request.startsWith("GET"))
        .filter(request -> request.contains("/manifests/") || request.contains(config))
        .toList();
  }
}

package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sluice.testing.DockerRegistry;
import sluice.testing.Fixtures;
import sluice.testing.LayoutPush;
import sluice.testing.PrivateContainerd;

/** What one node pushes of an image that it streamed, the next node starts by. */
@Timeout(300)
final class AskRegistryIT {

  private static final Duration WITHIN = Duration.ofMinutes(2);

  private final Fixtures reader = Fixtures.of("reader");

  @TempDir private Path temporary = Path.of("");
  private DockerRegistry registry;

  AskRegistryIT() throws Exception {
    registry = DockerRegistry.open();
  }

  @BeforeEach
  void start() throws Exception {
    LayoutPush.push(reader.directory(), registry.host(), "reader");
  }

  @AfterEach
  void stop() throws Exception {
    registry.close();
  }

  @Test
  void imageThatOneNodeStreamed_isLazyOnTheNext() throws Exception {
    assertThat(indexes()).isZero();
    String output;
    try (Node node = Node.configured("[index]\npublish = \"ask-registry\"\n");
        PrivateContainerd containerd = PrivateContainerd.start(Map.of("sluice", node.socket()))) {
      assertThat(pull(containerd)).containsOnly("lazy");
      assertThat(layerRequests()).as("it was streamed").isNotEmpty();
      output = run(containerd);
      long deadline = System.nanoTime() + WITHIN.toNanos();
      while (indexes() == 0) {
        assertThat(System.nanoTime()).as("%s have passed", WITHIN).isLessThan(deadline);
        Thread.sleep(200);
      }
    }

    // A node that has nothing.
    Thread.sleep(300);
    int before = layerRequests().size();
    try (Node node = Node.configured("[trust]\nreferrers = [\"" + registry.host() + "\"]\n");
        PrivateContainerd containerd = PrivateContainerd.start(Map.of("sluice", node.socket()))) {
      assertThat(pull(containerd)).containsOnly("lazy");
      Thread.sleep(300);
      assertThat(layerRequests()).as("nothing of the layers until they are read").hasSize(before);
      assertThat(run(containerd)).isEqualTo(output);
    }
    assertThat(indexes()).isEqualTo(1);
  }

  /** How many indexes the registry has of the image. */
  private int indexes() throws Exception {
    Cli.Result listed =
        Cli.sluice(
            "index", "list", "--json", "--root", temporary.resolve("root").toString(), image());
    assertThat(listed.status()).as(listed.toString()).isZero();
    return listed.json().required("indexes").size();
  }

  private List<String> pull(PrivateContainerd containerd) throws IOException, InterruptedException {
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

  private String run(PrivateContainerd containerd) throws Exception {
    return containerd.ctr(
        "run", "--rm", "--snapshotter", "sluice", image(), "once", "/bin/reader", "/data/text0");
  }

  private List<String> layerRequests() throws Exception {
    return registry.requests().stream()
        .filter(request -> request.startsWith("GET"))
        .filter(request ->
            reader.document(Fixtures.SOURCE).layers().stream()
                .anyMatch(layer -> request.contains(layer.digest().toString())))
        .toList();
  }

  private String image() {
    return registry.host() + "/reader:" + Fixtures.SOURCE;
  }
}

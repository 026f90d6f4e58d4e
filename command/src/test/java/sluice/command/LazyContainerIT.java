package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import sluice.command.config.Config;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.testing.DockerRegistry;
import sluice.testing.Fixtures;
import sluice.testing.LayoutPush;
import sluice.testing.PrivateContainerd;

/** The whole path on real parts: registry, daemon, mount, containerd, runc. */
final class LazyContainerIT {

  private static final String RAFS = "nydus-zstd";
  private static final List<String> READER =
      List.of("/bin/reader", "/data/text0", "/data/noise0", "/data/text1", "/data/noise1");

  /** FUSE mounts go once nobody has them open, which the kernel may tell a moment late. */
  private static final Duration CLEANED_WITHIN = Duration.ofSeconds(20);

  private final Fixtures reader = Fixtures.of("reader");
  private Path directory;
  private DockerRegistry registry;
  private Daemon daemon;
  private PrivateContainerd containerd;

  @BeforeEach
  void start() throws Exception {
    directory = Files.createTempDirectory("slr");
    registry = DockerRegistry.open();
    LayoutPush.push(reader.directory(), registry.host(), "reader");
    Config.Metrics none = new Config.Metrics("");
    Config d = Config.DEFAULTS;
    daemon =
        Daemon.start(
            new Config(
                "test",
                root(),
                directory.resolve("s.sock"),
                d.logLevel(),
                d.mount(),
                d.fuse(),
                d.pull(),
                d.trust(),
                d.index(),
                none,
                d.containerd()));
    containerd = PrivateContainerd.start(Map.of("sluice", directory.resolve("s.sock")));
  }

  @AfterEach
  void stop() throws Exception {
    containerd.close();
    daemon.close();
    registry.close();
    try (Stream<Path> tree = Files.walk(directory)) {
      for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {RAFS, "nydus-zran", Fixtures.SOURCE})
  void image_runs_isWritten_andSurvivesCollection(String tag) throws Exception {
    assertAllLazy(pull("default", tag), tag);
    for (Digest layer : layers(tag)) {
      assertThat(containerd.ctr("content", "list", "-q")).doesNotContain(layer.toString());
    }
    assertThat(containerd.ctr("images", "list")).contains(image(tag));
    assertThat(run("default", tag)).isEqualTo(expected());

    containerd.collectGarbage();
    assertThat(run("default", tag)).isEqualTo(expected());

    containerd.ctr("run", "-d", "--snapshotter", "sluice", image(tag), "writer");
    Path data = Path.of("/proc", pid("writer"), "root/data");
    Files.writeString(data.resolve("new"), "written");
    Files.writeString(data.resolve("noise1"), "replaced");
    Files.delete(data.resolve("text1"));
    containerd.collectGarbage();
    assertThat(exec("writer", "/data/new", "/data/noise1", "/data/noise0"))
        .contains(" 7 /data/new\n", " 8 /data/noise1\n")
        .contains(line("/data/noise0"));
    assertThat(Files.exists(data.resolve("text1"))).isFalse();
    assertThat(changesOf("writer"))
        .contains("data/new", "data/noise1", "data/.wh.text1")
        .doesNotContain("data/noise0");
    assertThat(run("default", tag)).isEqualTo(expected());
    end("writer");
  }

  /** The layer that a commit of the container would make: containerd compares it with its image. */
  private String changesOf(String container) throws Exception {
    return containerd.ctr(
        "snapshots",
        "--snapshotter",
        "sluice",
        "diff",
        "--media-type",
        "application/vnd.oci.image.layer.v1.tar",
        container);
  }

  @ParameterizedTest
  @ValueSource(strings = {RAFS, Fixtures.SOURCE})
  void imageOfTwoNamespaces_isFetchedOnce_andOutlivesOneOfThem(String tag) throws Exception {
    pull("one", tag);
    assertThat(run("one", tag)).isEqualTo(expected());
    List<String> fetched = layerRequests(tag);
    assertThat(fetched).isNotEmpty();
    assertThat(fetched.stream().mapToLong(LazyContainerIT::bytes).sum())
        .isLessThanOrEqualTo(sizeBytes(tag));

    assertAllLazy(pull("two", tag), tag);
    assertThat(run("two", tag)).isEqualTo(expected());
    assertThat(layerRequests(tag)).isEqualTo(fetched);

    containerd.ctr("-n", "one", "images", "rm", "--sync", image(tag));
    containerd.collectGarbage();
    assertThat(run("two", tag)).isEqualTo(expected());
    assertThat(layerRequests(tag)).isEqualTo(fetched);

    containerd.ctr("-n", "two", "images", "rm", "--sync", image(tag));
    containerd.collectGarbage();
    assertNothingIsLeft();
  }

  @Test
  void pullAgain_knowsEveryLayer() throws Exception {
    Result first = pullAsking("s.sock");
    assertThat(first.out())
        .startsWith(image(Fixtures.SOURCE) + "\n")
        .contains(reader.descriptor(Fixtures.SOURCE).digest().toString())
        .contains("3: 3 streamed, 0 unpacked, 0 known before")
        .contains("layer 1, 2, 3 streamed: soci: no index is searched for among referrers: trust.");
    assertThat(pullAsking("s.sock", "--json").out())
        .contains("\"state\" : \"known\"", "\"format\" : \"tar\"", "\"streamed\" : true")
        .contains("\"reason\" : \"soci: no index is searched for among referrers: trust.");
    assertThat(pullAsking("none.sock").out())
        .contains("0 unpacked, 3 known before", "the daemon does not say: ", "none.sock");
    assertThat(pull("default", Fixtures.SOURCE)).contains("\"known\"").doesNotContain("\"lazy\"");
  }

  @Test
  void layerThatNobodyCanServe_isNamedWithTheReason() throws Exception {
    PrintStream before = System.err;
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
    try {
      assertThat(
              sluice(
                      "pull",
                      "--containerd",
                      socket(),
                      "--address",
                      directory.resolve("s.sock").toString(),
                      image("nydus-v5"))
                  .code())
          .isEqualTo(1);
    } finally {
      System.setErr(before);
    }
    assertThat(err.toString(StandardCharsets.UTF_8))
        .contains("layer 1 of 4")
        .contains("no processor for media-type")
        .contains("RAFS v5, and Sluice reads only v6");
    containerd.collectGarbage();
    assertThat(containerd.ctr("content", "list", "-q")).isBlank();
  }

  @Test
  void daemonThatIsNotThere_isNamed() throws Exception {
    daemon.close();
    assertThat(sluice("pull", "--containerd", socket(), image(RAFS)).code()).isEqualTo(1);
    containerd.collectGarbage();
    assertThat(containerd.ctr("images", "list", "-q")).isBlank();
    assertThat(containerd.ctr("content", "list", "-q")).isBlank();
  }

  private record Result(int code, String out) {}

  private static Result sluice(String... arguments) {
    PrintStream before = System.out;
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
    try {
      return new Result(SluiceCommand.run(arguments), out.toString(StandardCharsets.UTF_8));
    } finally {
      System.setOut(before);
    }
  }

  /** Pulls the ordinary image; the daemon is asked at a socket of this name. */
  private Result pullAsking(String name, String... more) {
    List<String> words = new ArrayList<>(List.of("pull", "--containerd", socket()));
    words.addAll(List.of("--address", directory.resolve(name).toString()));
    words.addAll(List.of(more));
    words.add(image(Fixtures.SOURCE));
    Result result = sluice(words.toArray(String[]::new));
    assertThat(result.code()).isZero();
    return result;
  }

  private String pull(String namespace, String tag) {
    Result result =
        sluice("pull", "--containerd", socket(), "--namespace", namespace, "--json", image(tag));
    assertThat(result.code()).isZero();
    return result.out();
  }

  private void assertAllLazy(String json, String tag) {
    assertThat(json)
        .contains("\"image\" : \"" + image(tag) + "\"")
        .doesNotContain("\"unpacked\"", "\"known\"")
        .containsOnlyOnce("\"digest\" : \"" + reader.descriptor(tag).digest() + "\"");
    assertThat(json.split("\"state\" : \"lazy\"", -1)).hasSize(layers(tag).size() + 1);
  }

  private String run(String namespace, String tag) throws Exception {
    List<String> words =
        new ArrayList<>(List.of("-n", namespace, "run", "--rm", "--snapshotter", "sluice"));
    words.addAll(List.of(image(tag), "once"));
    words.addAll(READER);
    return containerd.ctr(words.toArray(String[]::new));
  }

  private String exec(String container, String... files) throws Exception {
    List<String> words =
        new ArrayList<>(List.of("task", "exec", "--exec-id", "e", container, "/bin/reader"));
    words.addAll(Arrays.asList(files));
    return containerd.ctr(words.toArray(String[]::new));
  }

  /** The second word of the container's line: {@code TASK PID STATUS}. */
  private String pid(String container) throws Exception {
    return containerd
        .ctr("task", "list")
        .lines()
        .filter(line -> line.startsWith(container + " "))
        .findFirst()
        .orElseThrow()
        .split(" +", -1)[1];
  }

  private void end(String container) throws Exception {
    containerd.ctr("task", "rm", "--force", container);
    containerd.ctr("container", "rm", container);
  }

  private List<Digest> layers(String tag) {
    return reader.document(tag).layers().stream().map(Descriptor::digest).toList();
  }

  /** What the registry gave of the image's layers; it logs an answer a moment after its end. */
  private List<String> layerRequests(String tag) throws Exception {
    Thread.sleep(300);
    List<Digest> layers = layers(tag);
    return registry.requests().stream()
        .filter(request -> request.startsWith("GET"))
        .filter(request -> layers.stream().anyMatch(l -> request.contains(l.toString())))
        .toList();
  }

  private void assertNothingIsLeft() throws Exception {
    long deadline = System.nanoTime() + CLEANED_WITHIN.toNanos();
    while (!left().isEmpty() && System.nanoTime() < deadline) {
      Thread.sleep(100);
    }
    assertThat(left()).isEmpty();
    assertThat(containerd.ctr("-n", "two", "content", "list", "-q")).isBlank();
  }

  /** What images occupy below the root, and where they are mounted. */
  private List<String> left() throws IOException {
    List<String> left = new ArrayList<>();
    for (String name : List.of("devices", "layers", "chains", "m", "snapshots")) {
      Path place = root().resolve(name);
      if (Files.isDirectory(place)) {
        try (Stream<Path> entries = Files.list(place)) {
          entries.filter(e -> !e.endsWith("lock")).map(Path::toString).forEach(left::add);
        }
      }
    }
    try (Stream<String> mounts = Files.lines(Path.of("/proc/self/mounts"))) {
      mounts.filter(line -> line.contains(" " + root().resolve("m") + "/")).forEach(left::add);
    }
    return left;
  }

  private long sizeBytes(String tag) {
    return reader.document(tag).layers().stream().mapToLong(Descriptor::sizeBytes).sum();
  }

  /** The last word of {@code METHOD PATH STATUS BYTES}. */
  private static long bytes(String request) {
    return Long.parseLong(request.substring(request.lastIndexOf(' ') + 1));
  }

  private Path root() {
    return directory.resolve("root");
  }

  private String socket() {
    return containerd.socket().toString();
  }

  private String image(String tag) {
    return registry.host() + "/reader:" + tag;
  }

  private static String expected() throws IOException {
    return Files.readString(Fixtures.root().resolve("reader.out"));
  }

  private static String line(String file) throws IOException {
    return expected().lines().filter(line -> line.endsWith(" " + file)).findFirst().orElseThrow();
  }
}

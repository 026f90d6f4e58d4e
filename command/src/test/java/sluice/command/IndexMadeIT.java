package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sluice.command.config.ConfigFile;
import sluice.command.index.IndexPublisher;
import sluice.core.Descriptor;
import sluice.core.FetchException;
import sluice.core.ImagePublisher;
import sluice.core.ImageReference;
import sluice.core.ImageRegistry;
import sluice.core.Platform;
import sluice.core.Repository;
import sluice.snapshotter.image.ResolvedImage;
import sluice.testing.ComposedImage;
import sluice.testing.DockerRegistry;
import sluice.testing.Fixtures;
import sluice.testing.LayoutPush;

/** Indexes that Sluice makes of an image that nobody has converted. */
@Timeout(600)
final class IndexMadeIT {

  private static final Platform AMD64 = Platform.parse("linux/amd64");

  @TempDir private Path temporary = Path.of("");

  private final Fixtures fixtures = Fixtures.of("reader");
  private final DockerRegistry registry;
  private int nodes;
  private volatile Instant now = Instant.EPOCH;

  IndexMadeIT() throws Exception {
    registry = DockerRegistry.open();
  }

  @BeforeEach
  void begin() throws Exception {
    LayoutPush.push(fixtures.directory(), registry.host(), "reader");
  }

  @AfterEach
  void end() throws Exception {
    registry.close();
  }

  private String image() {
    return registry.host() + "/reader:src";
  }

  private Cli.Result index(String verb, String... more) throws Exception {
    List<String> words = new ArrayList<>(List.of("index", verb, image()));
    words.addAll(List.of("--root", temporary.resolve("root").toString()));
    words.addAll(List.of(more));
    Cli.Result result = Cli.sluice(words.toArray(String[]::new));
    assertThat(result.status()).as(result.toString()).isZero();
    return result;
  }

  private Engine node(String trust) throws Exception {
    Path config = Files.writeString(temporary.resolve("config.toml"), trust);
    return Engine.open(
        temporary.resolve("node" + nodes++),
        Engine.Indexes.of(ConfigFile.read(config)),
        Engine.Listeners.NONE);
  }

  private ResolvedImage load(Engine engine) throws Exception {
    ResolvedImage resolved = engine.resolver().resolve(ImageReference.parse(image()), AMD64);
    engine.loader().load(resolved);
    return resolved;
  }

  /** The layers of which a new node fetches anything until it has the image's tree. */
  private List<String> streamed() throws Exception {
    int before = registry.requests().size();
    try (Engine engine = node("[trust]\nreferrers = [\"" + registry.host() + "\"]")) {
      load(engine);
    }
    Thread.sleep(300);
    List<String> all = registry.requests();
    return all.subList(before, all.size()).stream()
        .filter(request -> request.startsWith("GET"))
        .filter(request ->
            fixtures.document(Fixtures.SOURCE).layers().stream()
                .anyMatch(layer -> request.contains(layer.digest().toString())))
        .toList();
  }

  @Test
  void create_thenPush_makesTheImageLazy() throws Exception {
    assertThat(streamed()).hasSize(3);

    JsonNode made = index("create", "--span-size", "1048576", "--json").json();
    assertThat(made.get("layers")).hasSize(3);
    assertThat(made.get("without")).isEmpty();
    String digest = made.get("index").asText();
    assertThat(index("show", "--json").json().get("index").asText()).isEqualTo(digest);
    assertThat(index("list").out()).contains(digest, "here, not pushed: sluice index push");
    JsonNode here = index("list", "--json").json().get("indexes");
    assertThat(here).hasSize(1);
    assertThat(here.get(0).get("digest").asText()).isEqualTo(digest);
    assertThat(here.get(0).get("pushed").asBoolean()).isFalse();
    assertThat(here.get(0).get("trusted").asBoolean()).isFalse();

    assertThat(index("push", "--json").json().get("index").asText()).isEqualTo(digest);
    JsonNode pushed = index("list", "--json").json().get("indexes");
    assertThat(pushed).hasSize(1);
    assertThat(pushed.get(0).get("pushed").asBoolean()).isTrue();
    assertThat(index("list").out()).contains("not trusted: trust.referrers does not name ");
    assertThat(streamed()).isEmpty();
  }

  @Test
  void push_whereNothingWasMade_makesItFirst() throws Exception {
    assertThat(index("push", "--json").json().get("ztocs").asInt()).isEqualTo(3);
    assertThat(streamed()).isEmpty();
  }

  /** Counts what it is asked, and refuses all of it. */
  private static final class Refusing implements ImagePublisher {
    private final AtomicInteger asked = new AtomicInteger();
    private final FetchException.Reason reason;
    private final int status;

    Refusing() {
      this(FetchException.Reason.UNAUTHORIZED, 403);
    }

    Refusing(FetchException.Reason reason, int status) {
      this.reason = reason;
      this.status = status;
    }

    @Override
    public void putBlob(Repository repository, Descriptor descriptor, Path content)
        throws IOException {
      asked.incrementAndGet();
      throw new FetchException(String.valueOf(status), reason, status, null);
    }

    @Override
    public void putManifest(ImageReference target, ImageRegistry.Content manifest) {
      throw new AssertionError("a blob comes before");
    }

    @Override
    public boolean mountBlob(Repository to, Repository from, Descriptor descriptor) {
      return false;
    }
  }

  private IndexPublisher publisher(Engine engine, ImagePublisher to) throws IOException {
    return IndexPublisher.start(
        new IndexPublisher.Ports(engine.places(), to, engine.recorder().orElseThrow(), () -> now),
        temporary.resolve("scratch"));
  }

  /** Offers an image, and waits until it is tried. */
  private static void offer(IndexPublisher publisher, ResolvedImage image) throws Exception {
    publisher.offer(image.reference().repository(), image.image().digest());
    assertThat(publisher.awaitIdle(Duration.ofMinutes(2))).isTrue();
  }

  @Test
  void offer_imageThatWasStreamed_pushesItsIndexOnce() throws Exception {
    try (Engine engine = node("")) {
      ResolvedImage resolved = load(engine);
      try (IndexPublisher publisher = publisher(engine, engine.places())) {
        offer(publisher, resolved);
        assertThat(referrers(engine, resolved)).hasSize(1);
        int before = registry.requests().size();
        offer(publisher, resolved);
        assertThat(registry.requests()).as("it is known to be done").hasSize(before);
      }
      Refusing other = new Refusing();
      try (IndexPublisher publisher = publisher(engine, other)) {
        offer(publisher, resolved);
      }
      assertThat(other.asked).as("the image has an index that is as good").hasValue(0);
    }
    assertThat(streamed()).isEmpty();
  }

  @Test
  void offer_registryThatRefuses_isAskedOnce() throws Exception {
    Refusing refusing = new Refusing();
    try (Engine engine = node("")) {
      ResolvedImage resolved = load(engine);
      try (IndexPublisher publisher = publisher(engine, refusing)) {
        offer(publisher, resolved);
        assertThat(refusing.asked).hasValue(1);
        now = now.plus(Duration.ofDays(1));
        offer(publisher, resolved);
      }
      assertThat(refusing.asked).hasValue(1);
      assertThat(temporary.resolve("scratch")).isEmptyDirectory();
    }
  }

  @Test
  void offer_registryThatFails_isAskedAgainAfterAPause() throws Exception {
    Refusing failing = new Refusing(FetchException.Reason.SERVER_ERROR, 503);
    try (Engine engine = node("")) {
      ResolvedImage resolved = load(engine);
      try (IndexPublisher publisher = publisher(engine, failing)) {
        offer(publisher, resolved);
        offer(publisher, resolved);
        assertThat(failing.asked).hasValue(1);
        for (int tries = 2; tries <= 9; tries++) {
          now = now.plus(Duration.ofDays(1));
          offer(publisher, resolved);
          assertThat(failing.asked).hasValue(Math.min(5, tries));
        }
      }
      // Another start of the daemon tries again.
      try (IndexPublisher publisher = publisher(engine, engine.places())) {
        offer(publisher, resolved);
      }
      assertThat(referrers(engine, resolved)).hasSize(1);
    }
  }

  @Test
  void offer_imageOfWhichALayerHasNoRecord_pushesTheOthersAfterAPause() throws Exception {
    try (Engine engine = node("")) {
      ResolvedImage resolved = load(engine);
      assertThat(engine.recorder().orElseThrow().awaitIdle(Duration.ofMinutes(2))).isTrue();
      Descriptor lost = fixtures.document(Fixtures.SOURCE).layers().getFirst();
      Files.delete(
          temporary.resolve("node" + (nodes - 1)).resolve("indexes/sha256-" + lost.digest().hex()));
      try (IndexPublisher publisher = publisher(engine, engine.places())) {
        offer(publisher, resolved);
        assertThat(referrers(engine, resolved)).as("it may still come").isEmpty();
        now = now.plus(Duration.ofMinutes(1));
        offer(publisher, resolved);
        assertThat(referrers(engine, resolved)).hasSize(1);
      }
      assertThat(streamed()).allMatch(request -> request.contains(lost.digest().toString()));
      assertThat(streamed()).hasSize(1);
    }
  }

  @Test
  void inspect_onTheNodeThatMadeIndexes_knowsThem() throws Exception {
    Path root = temporary.resolve("node" + nodes);
    try (Engine engine = node("")) {
      load(engine);
      assertThat(engine.recorder().orElseThrow().awaitIdle(Duration.ofMinutes(2))).isTrue();
      String config = temporary.resolve("inspect.toml").toString();
      Files.writeString(Path.of(config), "root = \"" + root + "\"\n");
      Path broken =
          root.resolve(
              "indexes/sha256-"
                  + fixtures.document(Fixtures.SOURCE).layers().getLast().digest().hex());
      Files.write(broken, new byte[9]);
      JsonNode kept = inspected(config);
      assertThat(kept).hasSize(3);
      for (JsonNode layer : kept) {
        assertThat(layer.get("format").asText()).isEqualTo("tar");
        assertThat(layer.get("offers").findValuesAsText("reason"))
            .contains("kept on this node: streamed before");
      }
      assertThat(kept.get(0).get("offers").get(0).get("reason").asText())
          .isEqualTo("what was streamed before is kept");

      Shell.run("rm", "-r", root.resolve("layers").toString()).done();
      JsonNode layers = inspected(config);
      assertThat(layers).hasSize(3);
      for (JsonNode layer : layers) {
        boolean last = layer.equals(layers.get(2));
        assertThat(layer.get("format").asText()).isEqualTo(last ? "tar" : "soci");
        assertThat(layer.get("served").asText()).isEqualTo(last ? "streamed" : "lazy");
      }
      assertThat(layers.get(0).get("offers").get(0).get("from").asText())
          .isEqualTo("index made on this node");
      assertThat(layers.get(0).get("offers").get(0).get("indexBytes").asLong()).isPositive();
      assertThat(broken).as("it is the daemon's").hasSize(9);
    }
  }

  private JsonNode inspected(String config) throws Exception {
    return Cli.sluice("inspect", "--json", "--config", config, image()).json().get("layers");
  }

  @Test
  void record_whereOrderHasNoSoci_isForPublishingOnly() throws Exception {
    for (String publish : List.of("never", "ask-registry")) {
      Path config = temporary.resolve("config.toml");
      Files.writeString(config, "[index]\norder = [\"estargz\"]\npublish = \"" + publish + "\"\n");
      assertThat(Engine.Indexes.of(ConfigFile.read(config)).record())
          .isEqualTo(publish.equals("ask-registry"));
    }
    assertThatThrownBy(() -> node("[index]\norder = [\"nydus\"]"))
        .hasMessageContaining("config.toml: index.order: \"nydus\" is no format");
    assertThatThrownBy(() -> node("[index]\norder = [\"tar\", \"soci\"]"))
        .hasMessageContaining("config.toml: index.order: \"tar\" streams every layer")
        .hasMessageContaining("found [tar, soci]");
    assertThatThrownBy(() -> node("[trust]\nreferrers = [\"key:/none.pub\"]"))
        .hasMessageContaining("config.toml: trust.referrers: key /none.pub: no such file");
  }

  @Test
  void create_layersThatNoIndexHolds_areSaid() throws Exception {
    Fixtures zstd = Fixtures.of("implicit");
    ComposedImage mixed =
        ComposedImage.of(fixtures, fixtures.document(Fixtures.SOURCE))
            .with(ComposedImage.of(zstd, zstd.document("zstdc-podman")));
    Path layout = temporary.resolve("mixed");
    mixed.write(layout, "mixed", Map.of());
    String image = "oci:" + layout + ":mixed";
    String root = temporary.resolve("root").toString();

    Cli.Result made = Cli.sluice("index", "create", image, "--root", root, "--json");
    assertThat(made.status()).as(made.toString()).isEqualTo(3);
    assertThat(made.json().get("layers")).hasSize(3);
    assertThat(made.json().get("without")).isNotEmpty();
    assertThat(made.json().get("without").get(0).get("reason").asText())
        .contains("SOCI indexes hold none of");
    assertThat(Cli.sluice("index", "create", "--help").out()).contains("layers are not in it");

    Cli.Result pushed = Cli.sluice("index", "push", image, "--root", root, "--json");
    assertThat(pushed.status()).as(pushed.toString()).isEqualTo(3);
    assertThat(pushed.json().get("ztocs").asInt()).isEqualTo(3);
    assertThat(pushed.json().get("without").valueStream().map(JsonNode::asText))
        .containsExactlyElementsOf(made.json().get("without").findValuesAsText("digest"));
    assertThat(Cli.sluice("index", "push", "--help").out())
        .contains("layers are not in it")
        .doesNotContain("--config");
  }

  private static List<Descriptor> referrers(Engine engine, ResolvedImage image) throws Exception {
    return engine
        .places()
        .referrers(image.reference().repository(), image.image().digest(), Optional.empty());
  }
}

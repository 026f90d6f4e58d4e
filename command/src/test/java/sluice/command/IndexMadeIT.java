package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
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
    assertThat(index("list", "--json").json().get("indexes")).isEmpty();

    assertThat(index("push", "--json").json().get("index").asText()).isEqualTo(digest);
    assertThat(index("list", "--json").json().get("indexes")).hasSize(1);
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

    @Override
    public void putBlob(Repository repository, Descriptor descriptor, Path content)
        throws IOException {
      asked.incrementAndGet();
      throw new FetchException("403", FetchException.Reason.UNAUTHORIZED, 403, null);
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
        new IndexPublisher.Ports(engine.places(), to, engine.recorder().orElseThrow()),
        temporary.resolve("scratch"));
  }

  @Test
  void offer_imageThatWasStreamed_pushesItsIndexOnce() throws Exception {
    try (Engine engine = node("")) {
      ResolvedImage resolved = load(engine);
      try (IndexPublisher publisher = publisher(engine, engine.places())) {
        publisher.offer(resolved.reference().repository(), resolved.image().digest());
        await(() -> !referrers(engine, resolved).isEmpty());
        publisher.offer(resolved.reference().repository(), resolved.image().digest());
      }
      try (IndexPublisher other = publisher(engine, new Refusing())) {
        other.offer(resolved.reference().repository(), resolved.image().digest());
        Thread.sleep(1000);
      }
      assertThat(referrers(engine, resolved)).hasSize(1);
    }
    assertThat(streamed()).isEmpty();
  }

  @Test
  void offer_registryThatRefuses_isAskedOnce() throws Exception {
    Refusing refusing = new Refusing();
    try (Engine engine = node("")) {
      ResolvedImage resolved = load(engine);
      try (IndexPublisher publisher = publisher(engine, refusing)) {
        publisher.offer(resolved.reference().repository(), resolved.image().digest());
        await(() -> refusing.asked.get() > 0);
        Thread.sleep(500);
        publisher.offer(resolved.reference().repository(), resolved.image().digest());
        Thread.sleep(1000);
      }
      assertThat(refusing.asked).hasValue(1);
      assertThat(temporary.resolve("scratch")).isEmptyDirectory();
    }
  }

  private static List<Descriptor> referrers(Engine engine, ResolvedImage image) throws Exception {
    return engine
        .places()
        .referrers(image.reference().repository(), image.image().digest(), Optional.empty());
  }

  private interface Condition {
    boolean holds() throws Exception;
  }

  private static void await(Condition condition) throws Exception {
    long deadline = System.nanoTime() + Duration.ofMinutes(2).toNanos();
    while (!condition.holds()) {
      assertThat(System.nanoTime()).as("120 s have passed").isLessThan(deadline);
      Thread.sleep(100);
    }
  }
}

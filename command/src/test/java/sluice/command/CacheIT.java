package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import sluice.core.Descriptor;
import sluice.testing.DockerRegistry;
import sluice.testing.Fixtures;
import sluice.testing.LayoutPush;

/** {@code sluice cache}, on a running daemon and on its root afterwards. */
@Timeout(300)
final class CacheIT {

  private static final Fixtures SMALL = Fixtures.of("small");
  private static final String TAG = "nydus-chunk";
  private static final String FILE = "data/big";

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
    node.close();
    registry.close();
  }

  @Test
  void list_saysWhatIsThereAndWhoNeedsIt_withTheDaemonAndWithout() throws Exception {
    assertThat(live("cache", "--json").json().get("devices")).isEmpty();
    Path target = container(TAG);
    JsonNode before = live("cache", "--json").json();
    assertThat(Shell.sha256(target.resolve(FILE)).done()).isEqualTo(sha256(FILE));
    JsonNode after = live("cache", "list", "--json").json();

    assertThat(after.get("cache").asText()).isEqualTo("daemon at " + socket());
    assertThat(after.get("presentBytes").asLong() - before.get("presentBytes").asLong())
        .isGreaterThanOrEqualTo(Files.size(target.resolve(FILE)));
    assertThat(after.get("unneededDevices").asInt()).isZero();
    List<String> layers =
        SMALL.document(TAG).layers().stream()
            .map(Descriptor::digest)
            .map(Object::toString)
            .toList();
    for (JsonNode device : after.get("devices")) {
      assertThat(device.get("presentBytes").asLong())
          .isBetween(0L, device.get("dataBytes").asLong());
      assertThat(device.get("repositories")).isNotEmpty();
      assertThat(device.at("/users/0/image").asText()).isEqualTo(image(TAG));
      assertThat(layers).contains(device.at("/users/0/layer").asText());
      assertThat(device.at("/users/0/layer").asText()).isEqualTo(device.get("blob").asText());
    }
    assertThat(live("cache").out())
        .contains("PRESENT", image(TAG), after.get("devices").size() + " devices:");
    Await.until("status and list count the same", this::statusCountsTheSame);

    endDaemon();
    Cli.Result offline = Cli.sluice("cache", "list", "--json", "--root", root());
    assertThat(offline.status()).as(offline.toString()).isZero();
    assertThat(offline.json().get("cache").asText()).isEqualTo("root " + root());
    assertThat(offline.json().get("presentBytes")).isEqualTo(after.get("presentBytes"));
    assertThat(offline.json().at("/devices/0/users")).isEqualTo(after.at("/devices/0/users"));
  }

  /** Both ask the file system, which may allocate what was written a while ago in between. */
  private boolean statusCountsTheSame() throws Exception {
    long cached = 0;
    for (JsonNode layer : live("status", "--json").json().at("/images/0/layers")) {
      cached += layer.get("cachedBytes").asLong();
    }
    return cached == live("cache", "--json").json().get("occupiedBytes").asLong();
  }

  @Test
  void check_damagedChunk_isNamedDroppedAndFetchedAgain() throws Exception {
    Path target = container(TAG);
    assertHolds(target);
    Cli.Result sound = live("cache", "check", "--json");
    assertThat(sound.status()).as(sound.toString()).isZero();
    assertThat(sound.json().get("sound").asBoolean()).isTrue();
    int chunks = sound.json().get("soundChunks").asInt();
    assertThat(chunks).isPositive();

    String blob = damage();
    Cli.Result bad = live("cache", "check", "--json");
    assertThat(bad.status()).as(bad.toString()).isEqualTo(1);
    assertThat(bad.json().get("soundChunks").asInt()).isEqualTo(chunks - 1);
    assertThat(bad.json().get("badChunks")).hasSize(1);
    JsonNode chunk = bad.json().at("/badChunks/0");
    assertThat(chunk.get("blob").asText()).isEqualTo(blob);
    assertThat(chunk.get("expected").asText()).matches("(sha256|blake3):[0-9a-f]{64}");
    assertThat(chunk.get("found").asText()).matches("(sha256|blake3):[0-9a-f]{64}");
    assertThat(chunk.get("found")).isNotEqualTo(chunk.get("expected"));
    assertThat(node.daemon().log()).contains(blob, chunk.get("found").asText());

    Cli.Result again = live("cache", "check");
    assertThat(again.status()).as(again.toString()).isZero();
    assertThat(again.out()).contains((chunks - 1) + " chunks are sound, 0 bad");
    int requests = requests(blob);
    assertHolds(target);
    assertThat(requests(blob)).isEqualTo(requests + 1);
    assertThat(live("cache", "check", "--json").json().get("soundChunks").asInt())
        .isEqualTo(chunks);

    damage();
    endDaemon();
    Cli.Result offline = Cli.sluice("cache", "check", "--root", root());
    assertThat(offline.status()).as(offline.toString()).isEqualTo(1);
    assertThat(offline.out()).contains("bad: blob " + blob, " expected, ", " found ", "dropped");
    assertThat(Cli.sluice("cache", "check", "--root", root()).status()).isZero();
  }

  @Test
  void prune_removesWhatNoSnapshotNeeds_andNothingElse() throws Exception {
    Path target = container(TAG);
    assertThat(Shell.sha256(target.resolve(FILE)).done()).isEqualTo(sha256(FILE));
    JsonNode needed = live("cache", "--json").json();
    assertThat(live("cache", "prune", "--json").json().get("freedBytes").asLong()).isZero();
    assertThat(Shell.sha256(target.resolve(FILE)).done()).isEqualTo(sha256(FILE));

    Shell.unmountBelow(node.directory().resolve("t"));
    node.client().removeAll();
    JsonNode left = live("cache", "--json").json();
    assertThat(left.get("unneededDevices").asInt()).isEqualTo(needed.get("devices").size());
    assertThat(live("cache").out()).contains("no snapshot needs: sluice cache prune");

    JsonNode dry = live("cache", "prune", "--dry-run", "--json").json();
    assertThat(dry.get("freedBytes").asLong()).isEqualTo(left.get("occupiedBytes").asLong());
    assertThat(live("cache", "--json").json().get("devices")).hasSize(left.get("devices").size());

    JsonNode pruned = live("cache", "prune", "--json").json();
    assertThat(pruned.get("devices")).isEqualTo(dry.get("devices"));
    assertThat(pruned.get("layers")).isEqualTo(dry.get("layers"));
    assertThat(pruned.get("layers").asInt()).isPositive();
    assertThat(live("cache", "--json").json().get("devices")).isEmpty();
    assertThat(devices()).isEmpty();
  }

  @Test
  void prune_withoutADaemon_keepsWhatSnapshotsNeed() throws Exception {
    container("src");
    Shell.unmountBelow(node.directory().resolve("t"));
    List<Path> all = devices();
    endDaemon();
    Cli.Result kept = Cli.sluice("cache", "prune", "--root", root());
    assertThat(kept.status()).as(kept.toString()).isZero();
    assertThat(kept.out()).contains("freed 0 B: 0 devices, 0 layers");
    assertThat(devices()).isEqualTo(all).isNotEmpty();
    node.restart(Map.of());
    node.client().removeAll();
    endDaemon();
    Cli.Result freed = Cli.sluice("cache", "prune", "--root", root(), "--json");
    assertThat(freed.status()).as(freed.toString()).isZero();
    assertThat(freed.json().get("devices")).hasSize(all.size());
    assertThat(devices()).isEmpty();
  }

  @Test
  void whatCannotBeAsked_isNamed() throws Exception {
    String nowhere = node.directory() + "/nowhere";
    assertFails(Cli.sluice("cache", "prune", "--root", root()), root(), "in use", "--address");
    assertThat(node.daemon().isAlive()).isTrue();
    assertFails(Cli.sluice("cache", "--root", nowhere), nowhere, "no cache is there");
    assertFails(Cli.sluice("cache", "check", "--address", nowhere), nowhere, "sluice serve");
    assertFails(Cli.nobody("cache", "--root", root()), root());
  }

  private static void assertFails(Cli.Result result, String... words) {
    assertThat(result.status()).as(result.toString()).isEqualTo(1);
    assertThat(result.out()).isEmpty();
    assertThat(result.err()).startsWith("sluice: ").contains(words);
  }

  /** Spoils a byte that is in the cache; returns the blob that it belongs to. */
  private String damage() throws Exception {
    for (JsonNode device : live("cache", "--json").json().get("devices")) {
      if (device.get("presentChunks").asInt() > 0) {
        Path data = Path.of(root(), "devices", device.get("id").asText(), "data");
        try (RandomAccessFile file = new RandomAccessFile(data.toFile(), "rw")) {
          long at = 0;
          file.seek(at);
          int found = file.read();
          while (found == 0) {
            at++;
            found = file.read();
          }
          file.seek(at);
          file.write(~found);
        }
        return device.get("blob").asText();
      }
    }
    throw new AssertionError("nothing is cached");
  }

  /** How often the blob, or a part of it, was asked for. */
  private int requests(String blob) throws Exception {
    Thread.sleep(300);
    return (int)
        registry.requests().stream()
            .filter(request -> request.startsWith("GET") && request.contains(blob))
            .count();
  }

  /** Reads the larger files past the page cache, so that Sluice is asked for each. */
  private static void assertHolds(Path target) throws Exception {
    List<String> files =
        Expected.files(SMALL).stream().filter(file -> file.matches("(data|dup)/.*")).toList();
    String read = "for f; do dd if=\"$f\" iflag=direct bs=1M status=none | sha256sum; done";
    List<String> command = new ArrayList<>(List.of("sh", "-c", read, "sh"));
    List<String> expected = new ArrayList<>();
    for (String file : files) {
      command.add(target.resolve(file).toString());
      expected.add(sha256(file) + "  -");
    }
    assertThat(Shell.run(command.toArray(String[]::new)).done().lines())
        .containsExactlyElementsOf(expected);
  }

  private Path container(String tag) throws Exception {
    return SnapshotCaller.mount(
        node.client().container("container", SMALL, tag, image(tag)), node.target("first"));
  }

  private void endDaemon() throws Exception {
    Shell.unmountBelow(node.directory().resolve("t"));
    assertThat(node.daemon().stop()).isZero();
  }

  private List<Path> devices() throws IOException {
    try (Stream<Path> paths = Files.list(Path.of(root(), "devices"))) {
      return paths.filter(path -> !path.endsWith("lock")).sorted().toList();
    }
  }

  /** Asks the daemon of the test. */
  private Cli.Result live(String... arguments) throws Exception {
    List<String> words = new ArrayList<>(List.of(arguments));
    words.addAll(List.of("--address", socket()));
    return Cli.sluice(words.toArray(String[]::new));
  }

  private String socket() {
    return node.directory().resolve("s.sock").toString();
  }

  private String root() {
    return node.directory().resolve("root").toString();
  }

  private String image(String tag) {
    return registry.host() + "/small:" + tag;
  }

  private static String sha256(String path) throws IOException {
    return Expected.sha256(SMALL, path);
  }
}

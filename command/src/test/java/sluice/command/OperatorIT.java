package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import sluice.core.ChainId;
import sluice.core.Descriptor;
import sluice.testing.DockerRegistry;
import sluice.testing.Fixtures;
import sluice.testing.LayoutPush;
import sluice.testing.PrivateContainerd;

/** The commands by which a node's owner sees what is going on, on real parts. */
@Timeout(300)
final class OperatorIT {

  private static final Fixtures READER = Fixtures.of("reader");
  private static final String RAFS = "nydus-zstd";

  /** An index of the ordinary image and its RAFS variant. */
  private static final String INDEX = "nydus-index";

  private DockerRegistry registry;
  private Node node;
  private PrivateContainerd containerd;

  @BeforeEach
  void start() throws Exception {
    registry = DockerRegistry.open();
    LayoutPush.push(READER.directory(), registry.host(), "reader");
    node = Node.start();
    containerd = PrivateContainerd.start(Map.of("sluice", Path.of(socket())));
  }

  @AfterEach
  void stop() throws Exception {
    containerd.close();
    node.close();
    registry.close();
  }

  @Test
  void status_andCache_followAnImageThroughItsLife() throws Exception {
    assertDone(pull(RAFS));
    containerd.ctr(
        "run",
        "--rm",
        "--snapshotter",
        "sluice",
        image(RAFS),
        "once",
        "/bin/reader",
        "/data/text0");
    JsonNode status = assertDone(Cli.sluice("status", "--address", socket(), "--json")).json();
    assertThat(status.get("root").asText()).isEqualTo(node.directory() + "/root");
    assertThat(status.at("/images/0/reference").asText()).isEqualTo(image(RAFS));
    List<String> layers =
        READER.document(RAFS).layers().stream()
            .map(Descriptor::digest)
            .map(String::valueOf)
            .toList();
    assertThat(status.at("/images/0/layers").findValuesAsText("digest"))
        .containsExactlyElementsOf(layers);
    assertThat(status.at("/images/0/layers").findValues("cachedBytes"))
        .anySatisfy(bytes -> assertThat(bytes.asLong()).isPositive());
    assertThat(status.get("fetchedBytes").asLong()).isPositive();
    assertThat(status.get("servedBytes").asLong()).isPositive();
    assertThat(status.get("fallbacks")).isEmpty();
    assertThat(status.get("errors")).isEmpty();
    assertThat(assertDone(Cli.sluice("status", "--address", socket())).out())
        .contains("root       " + node.directory() + "/root")
        .contains("image      %s: %d layers of ".formatted(image(RAFS), layers.size()))
        .contains("cached: %d lazy by rafs".formatted(layers.size()))
        .contains("fallbacks  none");
    assertThat(assertDone(Cli.sluice("cache", "--address", socket())).out()).contains(image(RAFS));

    containerd.ctr("images", "rm", "--sync", image(RAFS));
    containerd.collectGarbage();
    JsonNode left = assertDone(Cli.sluice("cache", "--address", socket(), "--json")).json();
    assertThat(left.get("devices")).isEmpty();
    JsonNode after = assertDone(Cli.sluice("status", "--address", socket(), "--json")).json();
    assertThat(after.get("images")).isEmpty();
    assertThat(after.get("cacheBytes").asLong()).isZero();
  }

  @Test
  void status_ofALayerThatIsNotLazy_hasTheReason() throws Exception {
    assertThat(pull("nydus-v5").status()).isEqualTo(1);
    JsonNode status = assertDone(Cli.sluice("status", "--address", socket(), "--json")).json();
    assertThat(status.at("/fallbackCounts/unsupported").asInt()).isEqualTo(1);
    assertThat(status.at("/fallbacks/0/image").asText()).isEqualTo(image("nydus-v5"));
    assertThat(status.at("/fallbacks/0/reason").asText()).contains("RAFS v5");
  }

  @Test
  void daemonThatDoesNotAnswer_isNamed() throws Exception {
    Path nobody = node.directory().resolve("nobody.sock");
    assertFails(Cli.sluice("status", "--address", nobody.toString()), nobody, "sluice serve");
    try (ServerSocketChannel gone = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      gone.bind(UnixDomainSocketAddress.of(nobody));
    }
    assertFails(Cli.sluice("status", "--address", nobody.toString()), nobody, "nobody answers");
    Path other = containerd.socket();
    assertFails(Cli.sluice("status", "--address", other.toString()), other, "is not Sluice");
    assertFails(Cli.nobody("status", "--address", socket()), Path.of(socket()), "root");
  }

  @Test
  void inspect_saysHowEachLayerWouldBeServed() throws Exception {
    JsonNode rafs = assertDone(Cli.sluice("inspect", "--json", image(RAFS))).json();
    assertThat(rafs.get("manifest").asText())
        .isEqualTo(READER.descriptor(RAFS).digest().toString());
    assertThat(ofLayers(rafs, "format")).containsOnly("rafs");
    assertThat(ofLayers(rafs, "served")).contains("data-only", "image");
    assertThat(assertDone(Cli.sluice("inspect", image(Fixtures.SOURCE))).out())
        .contains("image     " + image(Fixtures.SOURCE), "* tar          streamed");
    JsonNode refused = assertDone(Cli.sluice("inspect", "--json", image("nydus-v5"))).json();
    assertThat(refused.get("layers").findValuesAsText("reason")).anyMatch(r -> r.contains("v5"));

    JsonNode index = assertDone(Cli.sluice("inspect", "--json", image(INDEX))).json();
    String variant = index.get("variant").asText();
    assertThat(variant).startsWith("sha256:");
    assertThat(index.get("layers").findValuesAsText("chainId"))
        .isEqualTo(
            ChainId.ofAll(READER.diffIds(READER.listed(INDEX).getFirst())).stream()
                .map(String::valueOf)
                .toList());
    assertThat(ofLayers(index, "served")).containsOnly("variant");
    assertThat(ofLayers(index, "format")).containsOnly("rafs");
    assertThat(vouchers(index)).as("any layers may stand beside it").containsOnly("image");
    assertThat(vouchers(rafs)).as("its layers name what they hold").containsOnly("layer");
    Path deny = node.directory().resolve("deny.toml");
    Files.writeString(deny, "[trust]%nunverified_diff_ids = \"deny\"%n".formatted());
    Cli.Result denied =
        assertDone(Cli.sluice("inspect", "--config", deny.toString(), image(INDEX)));
    assertThat(denied.out())
        .contains("is not used: trust.unverified_diff_ids", "* tar          streamed");

    Path open = Files.createTempFile("sluice-inspect", ".toml");
    Files.writeString(open, "root = \"%s\"%n".formatted(node.directory().resolve("root")));
    Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rw-r--r--"));
    Cli.Result user = Cli.nobody("inspect", "--config", open.toString(), image(RAFS));
    Files.delete(open);
    assertThat(assertDone(user).err())
        .contains("root is closed to you", "indexes that this node made", "known to lie");

    assertThat(Cli.sluice("inspect", image("missing")).err())
        .startsWith("sluice: ")
        .contains(registry.host(), "reader", "missing", "404");
    String stopped = image(RAFS);
    registry.stop();
    Cli.Result unreachable = Cli.sluice("inspect", stopped);
    assertThat(unreachable.status()).isEqualTo(1);
    assertThat(unreachable.err()).startsWith("sluice: ").contains(registry.host());
  }

  @Test
  void doctor_saysWhatIsMissing() throws Exception {
    Path config = node.directory().resolve("doctor.toml");
    Files.writeString(
        config,
        """
        root = "%s"
        address = "%s"
        [containerd]
        address = "%s"
        """
            .formatted(node.directory().resolve("root"), socket(), containerd.socket()));
    Cli.Result all = Cli.sluice("doctor", "--config", config.toString(), "--json", image(RAFS));
    assertThat(assertDone(all).json().get("works").asBoolean()).isTrue();
    assertThat(check(all, "containerd").get("state").asText()).isEqualTo("ok");
    assertThat(check(all, "daemon").get("state").asText()).isEqualTo("ok");
    assertThat(check(all, "registry").get("found").asText())
        .contains(READER.descriptor(RAFS).digest().toString());

    Cli.Result user = Cli.nobody("doctor", "--json");
    assertThat(user.status()).as(user.toString()).isEqualTo(1);
    assertThat(user.json().get("works").asBoolean()).isFalse();
    assertThat(check(user, "root").get("state").asText()).isEqualTo("missing");

    Files.writeString(config, "adress = \"/x\"\n");
    Cli.Result wrong = Cli.sluice("doctor", "--config", config.toString());
    assertThat(wrong.status()).isEqualTo(1);
    assertThat(wrong.out())
        .contains("missing  configuration", "adress", "address", "mend the file");
  }

  /** What {@code doctor} takes, {@code serve} must not refuse. */
  @Test
  void doctor_refusesTheConfigurationsThatServeRefuses() throws Exception {
    Path nobody = node.directory().resolve("nobody.sock");
    Path none = node.directory().resolve("none.pub");
    Path config = node.directory().resolve("refused.toml");
    Map<String, String> refused =
        Map.of(
            "[index]\norder = [\"rafs\", \"nydus\"]",
            "index.order: \"nydus\" is no format",
            "[trust]\nreferrers = [\"key:%s\"]".formatted(none),
            none + ": no such file",
            "[trust]\nreferrers = [\"key:%s\"]".formatted(config),
            config + ": ");
    for (var each : refused.entrySet()) {
      Files.writeString(
          config,
          "root = \"%s\"%naddress = \"%s\"%n%s%n"
              .formatted(node.directory().resolve("other"), nobody, each.getKey()));
      Cli.Result doctor = Cli.sluice("doctor", "--config", config.toString(), "--json");
      assertThat(doctor.status()).as(doctor.toString()).isEqualTo(1);
      JsonNode found = check(doctor, "configuration");
      assertThat(found.get("state").asText()).isEqualTo("missing");
      assertThat(found.get("found").asText()).contains(each.getValue());
      JsonNode daemon = check(doctor, "daemon");
      assertThat(daemon.get("found").asText()).isEqualTo(nobody + ": no daemon listens there");
      assertThat(daemon.get("advice").asText()).isEqualTo("start `sluice serve`");
      assertThat(Cli.sluice("serve", "--config", config.toString()).err())
          .contains("sluice: " + found.get("found").asText());
    }
  }

  private static JsonNode check(Cli.Result result, String name) throws Exception {
    for (JsonNode check : result.json().get("checks")) {
      if (check.get("name").asText().equals(name)) {
        return check;
      }
    }
    throw new AssertionError("no check " + name + ": " + result);
  }

  private Cli.Result pull(String tag) throws Exception {
    Path config = node.directory().resolve("pull.toml");
    Files.writeString(
        config,
        "address = \"%s\"%n[containerd]%naddress = \"%s\"%n"
            .formatted(socket(), containerd.socket()));
    return Cli.sluice("pull", "--config", config.toString(), image(tag));
  }

  private static Cli.Result assertDone(Cli.Result result) {
    assertThat(result.status()).as(result.toString()).isZero();
    return result;
  }

  private static void assertFails(Cli.Result result, Path named, String word) {
    assertThat(result.status()).as(result.toString()).isEqualTo(1);
    assertThat(result.out()).isEmpty();
    assertThat(result.err()).startsWith("sluice: ").contains(named.toString(), word);
  }

  private String socket() {
    return node.directory().resolve("s.sock").toString();
  }

  private String image(String tag) {
    return registry.host() + "/reader:" + tag;
  }

  /** What vouches for the index by which each layer is served, of those that have one. */
  private static List<String> vouchers(JsonNode inspected) {
    List<String> values = new ArrayList<>();
    inspected
        .findValues("offers")
        .forEach(offers -> {
          if (offers.get(0).has("vouchedForBy")) {
            values.add(offers.get(0).get("vouchedForBy").asText());
          }
        });
    return values;
  }

  private static List<String> ofLayers(JsonNode inspected, String key) {
    List<String> values = new ArrayList<>();
    inspected.get("layers").forEach(layer -> values.add(layer.get(key).asText()));
    return values;
  }
}

package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.spec.ECGenParameterSpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sluice.command.config.ConfigFile;
import sluice.command.index.IndexLayout;
import sluice.command.index.MadeIndex;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.ImageReference;
import sluice.core.ImageRegistry;
import sluice.core.Platform;
import sluice.registry.FetchListener;
import sluice.registry.RegistryClient;
import sluice.registry.RegistryConfig;
import sluice.snapshotter.signature.SignaturePush;
import sluice.snapshotter.signature.SigningKey;
import sluice.testing.DockerRegistry;
import sluice.testing.Fixtures;
import sluice.testing.LayoutPush;

/**
 * Indexes in a registry that keeps no list of referrers itself, where somebody else has pushed one
 * of the same image already.
 */
@Timeout(600)
final class IndexCommandIT {

  private static final String TOOL = "sluice test";
  private static final String LAYER = "com.amazon.soci.image-layer-digest";

  @TempDir private Path temporary = Path.of("");

  private final Fixtures fixtures = Fixtures.of("small");
  private final Descriptor source = fixtures.descriptor(Fixtures.SOURCE);
  private final Descriptor theirs = fixtures.descriptor("sha256-" + source.digest().hex());
  private DockerRegistry registry;
  private MadeIndex ours;

  IndexCommandIT() throws Exception {
    registry = DockerRegistry.open();
    ours = index();
  }

  @BeforeEach
  void begin() throws Exception {
    LayoutPush.push(fixtures.directory(), registry.host(), "small");
    new IndexLayout(temporary.resolve("layout")).keep(ours);
  }

  @AfterEach
  void end() throws Exception {
    registry.close();
  }

  /** The zTOCs of SOCI's tool, in an index of another tool. */
  private MadeIndex index() {
    List<MadeIndex.OfLayer> layers = new ArrayList<>();
    for (Descriptor layer : fixtures.document(Fixtures.SOURCE).layers()) {
      for (Descriptor ztoc : fixtures.listed(tagOfReferrers()).getFirst().layers()) {
        if (layer.digest().toString().equals(ztoc.annotations().get(LAYER))) {
          Descriptor bare = new Descriptor(ztoc.mediaType(), ztoc.digest(), ztoc.sizeBytes());
          layers.add(
              new MadeIndex.OfLayer(
                  layer, new MadeIndex.Blob(bare, fixtures.blob(ztoc.digest())), 1 << 20));
        }
      }
    }
    return MadeIndex.of(
        new Descriptor(source.mediaType(), source.digest(), source.sizeBytes()), layers, TOOL);
  }

  private String tagOfReferrers() {
    return "sha256-" + source.digest().hex();
  }

  private Digest digest() {
    return ours.manifest().descriptor().digest();
  }

  private String image() {
    return registry.host() + "/small:src";
  }

  private Cli.Result index(String verb, String... more) throws Exception {
    List<String> words = new ArrayList<>(List.of("index", verb, image()));
    words.addAll(List.of("--root", temporary.resolve("root").toString()));
    words.addAll(List.of("--layout", temporary.resolve("layout").toString()));
    words.addAll(List.of(more));
    return Cli.sluice(words.toArray(String[]::new));
  }

  private Path config(String trust) throws Exception {
    return Files.writeString(temporary.resolve("config.toml"), "[trust]\n" + trust);
  }

  private String configured(String trust) throws Exception {
    return config(trust).toString();
  }

  /** A key pair {@code NAME.key}, {@code NAME.pub}. */
  private Path key(String name) throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(new ECGenParameterSpec("secp256r1"));
    KeyPair pair = generator.generateKeyPair();
    pem(name + ".pub", "PUBLIC KEY", pair.getPublic().getEncoded());
    return pem(name + ".key", "PRIVATE KEY", pair.getPrivate().getEncoded());
  }

  private Path pem(String name, String label, byte[] content) throws Exception {
    return Files.writeString(
        temporary.resolve(name),
        "-----BEGIN %s-----%n%s%n-----END %s-----%n"
            .formatted(label, Base64.getMimeEncoder().encodeToString(content), label));
  }

  private JsonNode get(String path) throws Exception {
    try (HttpClient client = HttpClient.newHttpClient()) {
      HttpRequest request =
          HttpRequest.newBuilder(URI.create("http://" + registry.host() + "/v2/small/" + path))
              .header("Accept", "application/vnd.oci.image.index.v1+json")
              .build();
      return new JsonMapper()
          .readTree(client.send(request, HttpResponse.BodyHandlers.ofByteArray()).body());
    }
  }

  @Test
  void push_isListedBesideTheOtherOne_andShown() throws Exception {
    Cli.Result pushed = index("push");

    assertThat(pushed.status()).as(pushed.toString()).isZero();
    assertThat(pushed.out()).contains("/small@" + digest() + ": 3 zTOCs").contains("not signed");
    JsonNode referrers = get("manifests/" + tagOfReferrers()).get("manifests");
    assertThat(referrers).hasSize(2);
    assertThat(referrers.get(0).get("digest").asText()).isEqualTo(theirIndex());
    assertThat(referrers.get(1).get("digest").asText()).isEqualTo(digest().toString());
    for (JsonNode referrer : referrers) {
      assertThat(referrer.get("artifactType").asText())
          .isEqualTo("application/vnd.amazon.soci.index.v1+json");
    }

    Cli.Result again = index("push", "--json");
    assertThat(again.json().get("index").asText()).isEqualTo(digest().toString());
    assertThat(get("manifests/" + tagOfReferrers()).get("manifests")).hasSize(2);

    JsonNode listed = index("list", "--json", "--config", configured("")).json();
    assertThat(listed.get("indexes")).hasSize(2);
    JsonNode second = listed.get("indexes").get(1);
    assertThat(second.get("tool").asText()).isEqualTo(TOOL);
    assertThat(second.get("coveredLayers").asInt()).isEqualTo(3);
    assertThat(second.get("sizeBytes").asLong()).isEqualTo(ours.sizeBytes());
    assertThat(second.get("trusted").asBoolean()).isFalse();
    assertThat(second.get("reason").asText())
        .isEqualTo(
            "trust.referrers does not name %1$s: add \"%1$s\", or a key, to it"
                .formatted(registry.host()));

    Cli.Result trusted =
        index("list", "--config", configured("referrers = [\"" + registry.host() + "\"]"));
    assertThat(trusted.out()).contains(digest() + "  v1  \"" + TOOL + '"', "3 of 3 layers, 80");
    assertThat(trusted.out().lines().filter(line -> line.strip().equals("trusted"))).hasSize(2);

    String layer = fixtures.document(Fixtures.SOURCE).layers().getFirst().digest().hex();
    JsonNode shown =
        index(
                "show",
                "--index",
                digest().toString(),
                "--layer",
                layer.substring(0, 12),
                "--limit",
                "3",
                "--json")
            .json();
    JsonNode of = shown.get("layers").get(0);
    assertThat(shown.get("layers")).hasSize(1);
    assertThat(of.get("spanCount").asInt())
        .isEqualTo(of.get("checkpoints").asInt())
        .isGreaterThan(5);
    assertThat(of.get("entryCount").asInt()).isGreaterThan(2000);
    assertThat(of.get("spans")).hasSize(3);
    assertThat(of.get("entries")).hasSize(3);
    assertThat(of.get("spans").get(1).get("tarOffset").asLong()).isGreaterThanOrEqualTo(1 << 20);
    assertThat(index("show").out()).contains("CHECKPOINTS", layer);
  }

  private String theirIndex() throws Exception {
    return new JsonMapper()
        .readTree(fixtures.blob(theirs.digest()).toFile())
        .get("manifests")
        .get(0)
        .get("digest")
        .asText();
  }

  @Test
  void push_signed_isUsedByWhoeverHasTheKey() throws Exception {
    Path key = key("a");
    Cli.Result pushed = index("push", "--key", key.toString());
    assertThat(pushed.out())
        .contains("signed: " + registry.host() + "/small:sha256-" + digest().hex() + ".sig");

    assertThat(fetchedFor("referrers = [\"key:%s\"]".formatted(temporary.resolve("a.pub"))))
        .as("blobs for the key that signed")
        .noneMatch(this::isLayer);

    key("b");
    String other = "referrers = [\"key:%s\"]".formatted(temporary.resolve("b.pub"));
    JsonNode listed = index("list", "--json", "--config", configured(other)).json().get("indexes");
    assertThat(listed.get(0).get("reason").asText())
        .contains("is not signed by key " + temporary.resolve("b.pub"), "there is no", ".sig");
    assertThat(listed.get(1).get("reason").asText()).endsWith("made by another key");
    assertThat(fetchedFor(other)).as("blobs for another key").anyMatch(this::isLayer);
  }

  @Test
  void push_unsigned_isUsedWhereTheRegistryIsTrusted() throws Exception {
    assertThat(index("push").status()).isZero();

    assertThat(fetchedFor("referrers = [\"" + registry.host() + "\"]")).noneMatch(this::isLayer);
    assertThat(fetchedFor("referrers = [\"other.example\"]")).anyMatch(this::isLayer);
  }

  /** What nothing pins has no other signature than that of the image that holds the TOCs. */
  @Test
  void imageOfTocs_signed_isUsedByWhoeverHasTheKey() throws Exception {
    String image = registry.host() + "/small:bare";
    Path signing = key("a");
    key("b");
    LayoutPush.push(withoutAnnotations("esgz-ext"), registry.host(), "small");
    try (RegistryClient client =
        RegistryClient.open(RegistryConfig.ofProcess(), FetchListener.NONE)) {
      ImageRegistry.Content tocs =
          client.resolve(ImageReference.parse(registry.host() + "/small:esgz-ext-esgztoc"));
      client.putManifest(ImageReference.parse(image + "-esgztoc"), tocs);
      assertThat(estargz(image, "a")).allSatisfy(offer -> assertUnsigned(offer, "there is no "));
      new SignaturePush(client, client)
          .push(
              ImageReference.parse(image).repository(),
              tocs.descriptor().digest(),
              SigningKey.read(signing));
    }
    assertThat(estargz(image, "a"))
        .allSatisfy(offer -> {
          assertThat(offer.get("chosen").asBoolean()).isTrue();
          assertThat(offer.get("served").asText()).isEqualTo("lazy");
          assertThat(offer.get("from").asText()).isEqualTo("TOC of " + image + "-esgztoc");
          assertThat(offer.get("vouchedForBy").asText()).isEqualTo("nothing");
        });
    assertThat(estargz(image, "b"))
        .allSatisfy(offer -> assertUnsigned(offer, "made by another key"));
  }

  private static void assertUnsigned(JsonNode offer, String why) {
    assertThat(offer.get("served").asText()).isEqualTo("refused");
    assertThat(offer.get("reason").asText())
        .contains("trust.unpinned_indexes does not name", "is not signed by key", why);
  }

  /** What eStargz makes of each layer, for who trusts a key with indexes that nothing pins. */
  private List<JsonNode> estargz(String image, String key) throws Exception {
    String trust = "unpinned_indexes = [\"key:%s\"]".formatted(temporary.resolve(key + ".pub"));
    Cli.Result inspected = Cli.sluice("inspect", "--json", "--config", configured(trust), image);
    assertThat(inspected.status()).as(inspected.toString()).isZero();
    List<JsonNode> offers = new ArrayList<>();
    for (JsonNode layer : inspected.json().get("layers")) {
      assertThat(layer.at("/offers/0/format").asText()).isEqualTo("estargz");
      offers.add(layer.at("/offers/0"));
    }
    assertThat(offers).hasSize(fixtures.document("esgz-ext").layers().size());
    return offers;
  }

  /** The image, tagged {@code bare}, with layers of which it says nothing. */
  private Path withoutAnnotations(String tag) throws Exception {
    Path layout = temporary.resolve("bare");
    ShapedImage image = ShapedImage.in(layout);
    List<ShapedImage.Layer> layers = new ArrayList<>();
    for (Descriptor layer : fixtures.document(tag).layers()) {
      byte[] blob = Files.readAllBytes(fixtures.blob(layer.digest()));
      layers.add(
          new ShapedImage.Layer(
              image.store(layer.mediaType(), blob), fixtures.diffIds(tag).get(layers.size())));
    }
    image.tag(image.manifest(ShapedImage.OCI_MANIFEST, ShapedImage.OCI_CONFIG, layers), "bare");
    return layout;
  }

  private boolean isLayer(String request) {
    return fixtures.document(Fixtures.SOURCE).layers().stream()
        .anyMatch(layer -> request.contains(layer.digest().toString()));
  }

  /** The blobs that a new node asks for until it has the image's tree. */
  private List<String> fetchedFor(String trust) throws Exception {
    Engine.Indexes indexes = Engine.Indexes.of(ConfigFile.read(config(trust)));
    int before = registry.requests().size();
    Path root = Files.createTempDirectory(temporary, "node");
    try (Engine engine = Engine.open(root, indexes, Engine.Listeners.NONE)) {
      engine
          .loader()
          .load(
              engine
                  .resolver()
                  .resolve(ImageReference.parse(image()), Platform.parse("linux/amd64")));
    }
    Thread.sleep(300);
    List<String> all = registry.requests();
    return all.subList(before, all.size()).stream()
        .filter(request -> request.startsWith("GET") && request.contains("/blobs/"))
        .toList();
  }

  @Test
  void wrongUse_isSaid() throws Exception {
    Cli.Result key = index("push", "--key", temporary.resolve("none.key").toString());
    assertThat(key.status()).isEqualTo(1);
    assertThat(key.err()).contains("none.key: no such file");

    Cli.Result layer = index("show", "--layer", "sha256:00");
    assertThat(layer.err()).contains("has no layer sha256:00; it has [sha256:");

    Cli.Result other = index("show", "--index", "sha256:00");
    assertThat(other.err()).contains("has no index sha256:00").contains(digest().toString());

    Path noKey = Files.writeString(temporary.resolve("no.pub"), "no key");
    Cli.Result config =
        index("list", "--config", configured("referrers = [\"key:" + noKey + "\"]"));
    assertThat(config.err())
        .contains("trust.referrers: key " + noKey + ": found no PEM block")
        .contains("-----BEGIN PUBLIC KEY-----");
  }
}

package sluice.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import sluice.core.Bytes;
import sluice.core.Descriptor;
import sluice.core.Digest;
import sluice.core.FetchException;
import sluice.core.FetchException.Reason;
import sluice.core.ImageDocument;
import sluice.core.ImageReference;
import sluice.core.ImageRegistry.Content;
import sluice.core.Lane;
import sluice.core.Repository;
import sluice.core.Repository.InLayout;
import sluice.core.Repository.InRegistry;
import sluice.testing.DockerRegistry;

/** Against Debian's docker-registry: what is pushed from the fixtures' layouts is read back. */
@Timeout(120)
class RegistryClientIT {

  private static final Path FIXTURES =
      Path.of(System.getProperty("sluice.project"), "testing", "fixtures");

  private static final String NAME_ANNOTATION = "org.opencontainers.image.ref.name";

  private static DockerRegistry registry;
  private static RegistryClient client;

  @BeforeAll
  static void start() throws Exception {
    registry = DockerRegistry.open();
    client = client(Map.of("DOCKER_CONFIG", "/nonexistent"));
  }

  @AfterAll
  static void stop() throws IOException {
    client.close();
    registry.close();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "small",
        "reader",
        "pause",
        "deep",
        "second",
        "implicit",
        "rawnames",
        "empty",
        "one",
        "tarforms"
      })
  void push_everyTagOfEveryFixture_isReadBackByteForByte(String image) throws Exception {
    InLayout layout = new InLayout(FIXTURES.resolve(image));
    InRegistry target = new InRegistry(registry.host(), "fixtures/" + image);
    for (Descriptor tagged : new LayoutIndex(layout.directory()).descriptors()) {
      String tag = tagged.annotations().getOrDefault(NAME_ANNOTATION, "");
      push(layout, target, new ImageReference(target, tag, null), tagged);
      Content back = client.resolve(new ImageReference(target, tag, null));
      assertThat(back.descriptor().digest()).isEqualTo(tagged.digest());
      assertThat(back.descriptor().mediaType()).isEqualTo(tagged.mediaType());
      assertThat(back.bytes()).isEqualTo(client.read(layout, tagged).bytes());
      compare(layout, target, client.document(back));
    }
  }

  /** Pushes what {@code descriptor} leads to, then itself. */
  private static void push(
      InLayout layout, InRegistry target, ImageReference as, Descriptor descriptor)
      throws IOException, InterruptedException {
    Content content = client.read(layout, descriptor);
    switch (client.document(content)) {
      case ImageDocument.Index index -> {
        for (Descriptor child : index.manifests()) {
          push(layout, target, new ImageReference(target, null, child.digest()), child);
        }
      }
      case ImageDocument.Manifest manifest -> {
        for (Descriptor blob : blobs(manifest)) {
          client.putBlob(target, blob, file(layout, blob));
        }
      }
    }
    client.putManifest(as, content);
  }

  private static void compare(InLayout layout, InRegistry target, ImageDocument document)
      throws IOException, InterruptedException {
    switch (document) {
      case ImageDocument.Index index -> {
        for (Descriptor child : index.manifests()) {
          compare(layout, target, client.document(client.read(target, child)));
        }
      }
      case ImageDocument.Manifest manifest -> {
        assertThat(client.read(target, manifest.config()).bytes().toArray())
            .isEqualTo(Files.readAllBytes(file(layout, manifest.config())));
        for (Descriptor layer : manifest.layers()) {
          compareBlob(layout, target, layer);
        }
      }
    }
  }

  private static void compareBlob(InLayout layout, InRegistry target, Descriptor blob)
      throws IOException, InterruptedException {
    byte[] expected = Files.readAllBytes(file(layout, blob));
    Set<Repository> holders = Set.of(target);
    Random random = new Random(blob.sizeBytes());
    for (Lane lane : Lane.values()) {
      int offset = expected.length < 2 ? 0 : random.nextInt(expected.length - 1);
      int length = Math.min(expected.length - offset, 1 + random.nextInt(70_000));
      byte[] range = new byte[length];
      client.read(blob.digest(), holders, offset, ByteBuffer.wrap(range), lane);
      assertThat(range).isEqualTo(Arrays.copyOfRange(expected, offset, offset + length));
    }
    try (InputStream whole = client.open(blob.digest(), holders, Lane.FILL)) {
      assertThat(whole.readAllBytes()).isEqualTo(expected);
    }
  }

  @Test
  void putBlob_twice_uploadsOnce() throws Exception {
    InLayout layout = new InLayout(FIXTURES.resolve("one"));
    InRegistry target = new InRegistry(registry.host(), "twice");
    Descriptor layer = firstLayer(layout);
    client.putBlob(target, layer, file(layout, layer));
    client.putBlob(target, layer, file(layout, layer));
    assertThat(uploads("twice")).isEqualTo(1);
  }

  @Test
  void mountBlob_fromAnotherRepository_needsNoUpload() throws Exception {
    InLayout layout = new InLayout(FIXTURES.resolve("one"));
    InRegistry from = new InRegistry(registry.host(), "mount/from");
    InRegistry to = new InRegistry(registry.host(), "mount/to");
    Descriptor layer = firstLayer(layout);
    assertThat(client.mountBlob(to, from, layer)).isFalse();
    client.putBlob(from, layer, file(layout, layer));
    assertThat(client.mountBlob(to, from, layer)).isTrue();
    byte[] bytes = new byte[(int) layer.sizeBytes()];
    client.read(layer.digest(), Set.of(to), 0, ByteBuffer.wrap(bytes), Lane.DEMAND);
    assertThat(Digest.sha256(bytes)).isEqualTo(layer.digest());
    assertThat(uploads("mount/to")).isZero();
  }

  @Test
  void referrers_withoutTheEndpoint_areKeptUnderTheFallbackTag() throws Exception {
    InLayout layout = new InLayout(FIXTURES.resolve("reader"));
    InRegistry target = new InRegistry(registry.host(), "referrers");
    Descriptor source = client.resolve(new ImageReference(layout, "src", null)).descriptor();
    assertThat(client.referrers(target, source.digest(), Optional.empty())).isEmpty();
    for (Descriptor tagged : new LayoutIndex(layout.directory()).descriptors()) {
      String tag = tagged.annotations().getOrDefault(NAME_ANNOTATION, "");
      if (tag.equals("src") || tag.equals("nydus-referrer")) {
        push(layout, target, new ImageReference(target, tag, null), tagged);
      }
    }
    List<Descriptor> found = client.referrers(target, source.digest(), Optional.empty());
    assertThat(found)
        .extracting(d -> d.digest().hex())
        .containsExactly("0574af7b1341fbb0d79485f5d82604dca169d83ccb97fe70bd7ba1bd4a7dadf7");
    assertThat(found)
        .isEqualTo(
            client.referrers(layout, source.digest(), Optional.empty()).stream()
                .filter(d -> d.digest().equals(found.getFirst().digest()))
                .toList());
  }

  @Test
  void read_unknownBlobAndTag_areNotFound() {
    InRegistry target = new InRegistry(registry.host(), "nothing/here");
    FetchException blob =
        catchThrowableOfType(
            FetchException.class,
            () ->
                client.read(
                    Digest.sha256(new byte[] {1}),
                    Set.of(target),
                    0,
                    ByteBuffer.allocate(1),
                    Lane.DEMAND));
    assertThat(blob.reason()).isEqualTo(Reason.NOT_FOUND);
    assertThat(blob).hasMessageContaining("BLOB_UNKNOWN");
    assertThatThrownBy(() -> client.resolve(new ImageReference(target, "latest", null)))
        .isInstanceOf(FetchException.class)
        .hasMessageContaining("MANIFEST_UNKNOWN");
  }

  @Test
  void read_pastTheEnd_isRefused() throws Exception {
    InLayout layout = new InLayout(FIXTURES.resolve("one"));
    InRegistry target = new InRegistry(registry.host(), "past");
    Descriptor layer = firstLayer(layout);
    client.putBlob(target, layer, file(layout, layer));
    for (long offset : new long[] {layer.sizeBytes(), layer.sizeBytes() - 1}) {
      assertThatThrownBy(() ->
              client.read(
                  layer.digest(), Set.of(target), offset, ByteBuffer.allocate(2), Lane.DEMAND))
          .isInstanceOfSatisfying(
              FetchException.class, e -> assertThat(e.reason()).isEqualTo(Reason.PROTOCOL));
    }
  }

  @Test
  void read_registryHangs_endsInTimeAndAnotherHolderServes(@TempDir Path directory)
      throws Exception {
    InLayout layout = new InLayout(FIXTURES.resolve("one"));
    Descriptor layer = firstLayer(layout);
    try (DockerRegistry hanging = DockerRegistry.open();
        RegistryClient impatient =
            RegistryClient.open(
                RegistryConfig.ofProcess().withTimeouts(TestRegistry.SHORT), FetchListener.NONE)) {
      InRegistry slow = new InRegistry(hanging.host(), "a");
      InRegistry good = new InRegistry(registry.host(), "b");
      client.putBlob(slow, layer, file(layout, layer));
      client.putBlob(good, layer, file(layout, layer));
      hanging.pause();
      long start = System.nanoTime();
      assertThatThrownBy(() ->
              impatient.read(layer.digest(), Set.of(slow), 0, ByteBuffer.allocate(1), Lane.DEMAND))
          .isInstanceOf(FetchException.class)
          .hasMessageContaining("timed out");
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(10));
      impatient.read(layer.digest(), Set.of(slow, good), 0, ByteBuffer.allocate(1), Lane.DEMAND);
      hanging.resume();
      impatient.read(layer.digest(), Set.of(slow), 0, ByteBuffer.allocate(1), Lane.DEMAND);
    }
  }

  @Test
  void basicAuth_withAndWithoutCredentials(@TempDir Path dockerConfig) throws Exception {
    InLayout layout = new InLayout(FIXTURES.resolve("one"));
    Descriptor source = client.resolve(new ImageReference(layout, "src", null)).descriptor();
    try (DockerRegistry closed = DockerRegistry.withBasicAuth("alice", "s3cret:with:colons")) {
      InRegistry target = new InRegistry(closed.host(), "private/one");
      Descriptor layer = firstLayer(layout);
      assertThatThrownBy(() -> client.putBlob(target, layer, file(layout, layer)))
          .isInstanceOf(FetchException.class)
          .hasMessageContaining("docker login " + closed.host());
      String auth =
          Base64.getEncoder()
              .encodeToString("alice:s3cret:with:colons".getBytes(StandardCharsets.UTF_8));
      Files.writeString(
          dockerConfig.resolve("config.json"),
          "{\"auths\":{\"" + closed.host() + "\":{\"auth\":\"" + auth + "\"}}}");
      try (RegistryClient alice = client(Map.of("DOCKER_CONFIG", dockerConfig.toString()))) {
        alice.putBlob(target, layer, file(layout, layer));
        Content content = alice.read(layout, source);
        ImageDocument.Manifest manifest = (ImageDocument.Manifest) alice.document(content);
        alice.putBlob(target, manifest.config(), file(layout, manifest.config()));
        alice.putManifest(new ImageReference(target, "v1", null), content);
        Bytes back = alice.resolve(new ImageReference(target, "v1", null)).bytes();
        assertThat(back).isEqualTo(content.bytes());
      }
    }
  }

  private static RegistryClient client(Map<String, String> environment) throws IOException {
    return RegistryClient.open(
        RegistryConfig.ofProcess().withEnvironment(environment), FetchListener.NONE);
  }

  private static Descriptor firstLayer(InLayout layout) throws IOException, InterruptedException {
    ImageDocument document =
        client.document(client.resolve(new ImageReference(layout, "src", null)));
    return ((ImageDocument.Manifest) document).layers().getFirst();
  }

  /** Each blob once; a layout may leave out what another image brings. */
  private static List<Descriptor> blobs(ImageDocument.Manifest manifest) {
    List<Descriptor> blobs = new ArrayList<>(manifest.layers());
    blobs.add(manifest.config());
    Set<Digest> seen = new HashSet<>();
    blobs.removeIf(blob -> !seen.add(blob.digest()));
    return blobs;
  }

  private static long uploads(String name) throws IOException {
    return registry.requests().stream()
        .filter(line -> line.startsWith("PUT /v2/" + name + "/blobs/"))
        .count();
  }

  private static Path file(InLayout layout, Descriptor blob) {
    return layout.directory().resolve("blobs/sha256").resolve(blob.digest().hex());
  }
}

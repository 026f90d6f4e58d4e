package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import sluice.core.Descriptor;
import sluice.core.ImageDocument;
import sluice.core.IndexOrigin.Binding;
import sluice.core.IndexTrust;
import sluice.fuse.Transport;
import sluice.testing.DockerRegistry;
import sluice.testing.Fixtures;
import sluice.testing.LayoutPush;
import sluice.testing.TreeListing;

/** Mounts every fixture that this version serves, and compares it with its expected listing. */
final class SluiceMountIT {

  @TempDir private Path temporary = Path.of("");
  private Path directory = Path.of("");
  private @Nullable Engine opened;

  @BeforeEach
  void open() throws IOException {
    directory = Files.createDirectory(temporary.resolve("mnt"));
    opened = Engines.open(temporary.resolve("root"));
  }

  @AfterEach
  void close() throws IOException {
    engine().close();
  }

  private Engine engine() {
    return Objects.requireNonNull(opened);
  }

  private ImageMount mount(String reference) throws IOException, InterruptedException {
    return mount(reference, Transport.RAW);
  }

  private ImageMount mount(String reference, Transport transport)
      throws IOException, InterruptedException {
    return Engines.mount(engine(), reference, directory, transport);
  }

  private void assertShows(Fixtures fixtures, String tag) throws IOException {
    FixtureImages.assertShows(fixtures, tag, TreeListing.of(directory));
  }

  static Stream<Arguments> images() {
    return FixtureImages.all();
  }

  /** Some of {@link #images}: without names that jnr-fuse can't pass, and fewer formats. */
  static Stream<Arguments> imagesWithUtf8Names() {
    return images()
        .filter(arguments ->
            !"rawnames".equals(arguments.get()[0])
                && !FixtureImages.hasToc(String.valueOf(arguments.get()[1])));
  }

  @ParameterizedTest
  @MethodSource("images")
  void mount_fromALayout_showsTheExpectedTree(String image, String tag) throws Exception {
    assertShowsMounted(image, tag, Transport.RAW);
  }

  @ParameterizedTest
  @MethodSource("imagesWithUtf8Names")
  void mount_byJnr_showsTheExpectedTree(String image, String tag) throws Exception {
    assertShowsMounted(image, tag, Transport.JNR);
  }

  @ParameterizedTest
  @ValueSource(strings = {Fixtures.SOURCE, "nydus-zstd"})
  void mount_byJnr_ofNamesThatAreNotUtf8_isRefusedWithTheReason(String tag) throws Exception {
    assertThatThrownBy(() -> mount(reference("rawnames", tag), Transport.JNR))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("rawnames:" + tag)
        .hasMessageContaining("is not UTF-8")
        .hasMessageContaining("raw");
    assertThat(directory).isEmptyDirectory();
  }

  private void assertShowsMounted(String image, String tag, Transport transport) throws Exception {
    try (ImageMount mount = mount(reference(image, tag), transport)) {
      assertShows(Fixtures.of(image), tag);
      assertThat(mount.ended()).isFalse();
    }
    assertThat(directory).isEmptyDirectory();
  }

  private static String reference(String image, String tag) {
    return "oci:" + Fixtures.of(image).directory() + ":" + tag;
  }

  @Test
  void mount_fromARegistry_showsTheExpectedTrees() throws Exception {
    try (DockerRegistry registry = DockerRegistry.open()) {
      for (String image : Fixtures.IMAGES) {
        LayoutPush.push(Fixtures.of(image).directory(), registry.host(), "a/" + image);
      }
      for (Arguments arguments : images().toList()) {
        String image = String.valueOf(arguments.get()[0]);
        String tag = String.valueOf(arguments.get()[1]);
        try (ImageMount mount = mount(registry.host() + "/a/" + image + ":" + tag)) {
          assertThat(mount.ended()).isFalse();
          assertShows(Fixtures.of(image), tag);
        }
      }
    }
  }

  @Test
  void mount_rafs_fetchesTheIndexAlone() throws Exception {
    try (DockerRegistry registry = DockerRegistry.open()) {
      Fixtures fixtures = Fixtures.of("small");
      LayoutPush.push(fixtures.directory(), registry.host(), "small");
      int before = registry.requests().size();

      try (ImageMount mount = mount(registry.host() + "/small:nydus-zstd")) {
        assertThat(mount.ended()).isFalse();
        List<String> requests = blobs(registry, before);
        String bootstrap = fixtures.document("nydus-zstd").layers().getLast().digest().toString();
        String config = fixtures.document("nydus-zstd").config().digest().toString();
        assertThat(requests).hasSize(2);
        assertThat(requests).anyMatch(request -> request.contains(bootstrap));
        assertThat(requests).anyMatch(request -> request.contains(config));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"esgz, 3", "esgz-chunk, 3", "zstdc-stargz, 3", "zstdc-podman, 3"})
  void mount_toc_takesOneRequestForEachLayer(String tag, int ranges) throws Exception {
    assertThat(requestsToMount(tag)).hasSize(1 + ranges);
  }

  /** Layers begin at once, so each may have looked for its own TOC before the image was found. */
  @Test
  void mount_externalToc_takesOneRequestForEachTocAndFooter() throws Exception {
    assertThat(requestsToMount("esgz-ext")).hasSizeBetween(1 + 1 + 3, 1 + 3 + 3);
  }

  private List<String> requestsToMount(String tag) throws Exception {
    try (DockerRegistry registry = DockerRegistry.open()) {
      LayoutPush.push(Fixtures.of("small").directory(), registry.host(), "small");
      int before = registry.requests().size();
      try (ImageMount mount = mount(registry.host() + "/small:" + tag)) {
        assertThat(mount.ended()).isFalse();
        return blobs(registry, before);
      }
    }
  }

  /** Tools that copy images know nothing of layers that no manifest lists. */
  @Test
  void mount_zran_withoutTheLayersThatItRefersTo_saysWhatToDo() throws Exception {
    Fixtures fixtures = Fixtures.of("one");
    Path layout = Files.createDirectory(temporary.resolve("layout"));
    Path blobs = Files.createDirectories(layout.resolve("blobs/sha256"));
    Descriptor manifest = fixtures.descriptor("nydus-zran");
    ImageDocument.Manifest document = fixtures.document("nydus-zran");
    List<Descriptor> copied = new ArrayList<>(document.layers());
    copied.add(document.config());
    copied.add(manifest);
    for (Descriptor each : copied) {
      Files.copy(fixtures.blob(each.digest()), blobs.resolve(each.digest().hex()));
    }
    Files.writeString(
        layout.resolve("index.json"),
        """
        {"manifests": [{"mediaType": "%s", "digest": "%s", "size": %d,
          "annotations": {"org.opencontainers.image.ref.name": "zran"}}]}\
        """
            .formatted(manifest.mediaType(), manifest.digest(), manifest.sizeBytes()));
    try (DockerRegistry registry = DockerRegistry.open()) {
      LayoutPush.push(layout, registry.host(), "copy");
      assertThatThrownBy(() -> mount(registry.host() + "/copy:zran"))
          .isInstanceOf(IOException.class)
          .hasMessageContaining(
              "layer " + fixtures.document(Fixtures.SOURCE).layers().getFirst().digest())
          .hasMessageContaining("is not in [" + registry.host() + "/copy]")
          .hasMessageContaining("push the image it was made from");
    }
  }

  @Test
  void mount_soci_fetchesTheIndexAlone() throws Exception {
    try (DockerRegistry registry = DockerRegistry.open()) {
      Fixtures fixtures = Fixtures.of("small");
      LayoutPush.push(fixtures.directory(), registry.host(), "small");
      int before = registry.requests().size();

      try (ImageMount mount = mount(registry.host() + "/small:soci2")) {
        assertThat(mount.ended()).isFalse();
        ImageDocument.Manifest index = fixtures.listed("soci2").getLast();
        assertFetchedFirst(blobs(registry, before), index);
        assertShows(fixtures, "soci2");
      }
    }
  }

  @Test
  void mount_sociOfAReferrer_isLazyIfReferrersAreTrusted() throws Exception {
    engine().close();
    IndexTrust ofReferrers =
        (layer, binding) ->
            binding == Binding.NOTHING ? Optional.of("nothing pins it") : Optional.empty();
    opened = Engines.open(temporary.resolve("trusting"), ofReferrers, Engine.Listeners.NONE);
    try (DockerRegistry registry = DockerRegistry.open()) {
      Fixtures fixtures = Fixtures.of("small");
      LayoutPush.push(fixtures.directory(), registry.host(), "small");
      int before = registry.requests().size();
      String referrers = "sha256-" + fixtures.descriptor(Fixtures.SOURCE).digest().hex();

      try (ImageMount mount = mount(registry.host() + "/small:src")) {
        assertThat(mount.ended()).isFalse();
        assertFetchedFirst(blobs(registry, before), fixtures.listed(referrers).getFirst());
        assertShows(fixtures, Fixtures.SOURCE);
      }
    }
  }

  /** Each blob that the index lists, and the image's configuration. */
  private static void assertFetchedFirst(List<String> requests, ImageDocument.Manifest index) {
    assertThat(requests).hasSize(index.layers().size() + 1);
    for (Descriptor each : index.layers()) {
      assertThat(requests).anyMatch(request -> request.contains(each.digest().toString()));
    }
  }

  /** GETs of blobs; the registry logs an answer some milliseconds after it ended. */
  private static List<String> blobs(DockerRegistry registry, int from)
      throws IOException, InterruptedException {
    Thread.sleep(300);
    List<String> all = registry.requests();
    return all.subList(from, all.size()).stream()
        .filter(request -> request.startsWith("GET") && request.contains("/blobs/"))
        .toList();
  }
}

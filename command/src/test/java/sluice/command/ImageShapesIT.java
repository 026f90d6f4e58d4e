package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static sluice.command.ShapedImage.on;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sluice.testing.DockerRegistry;
import sluice.testing.LayoutPush;

/** Images in the many forms in which registries hold them. */
final class ImageShapesIT {

  private static final int MANY = 500;

  @TempDir private Path temporary = Path.of("");
  private Path directory = Path.of("");
  private Path layout = Path.of("");
  private ShapedImage image;
  private @Nullable Engine opened;

  @BeforeEach
  void open() throws IOException {
    directory = Files.createDirectory(temporary.resolve("mnt"));
    layout = temporary.resolve("layout");
    image = ShapedImage.in(layout);
    opened = Engines.open(temporary.resolve("root"));
  }

  @AfterEach
  void close() throws IOException {
    Objects.requireNonNull(opened).close();
  }

  private ShapedImage.Layer layer(String file) throws IOException {
    return image.gzip(ShapedImage.OCI_GZIP, tar -> tar.file(file));
  }

  private ObjectNode manifest(ShapedImage.Layer... layers) throws IOException {
    return image.manifest(ShapedImage.OCI_MANIFEST, ShapedImage.OCI_CONFIG, List.of(layers));
  }

  /** The files of the image; each holds its own name. */
  private Map<String, String> shown() throws Exception {
    Map<String, String> files = new TreeMap<>();
    try (ImageMount _ =
            Engines.mount(Objects.requireNonNull(opened), "oci:" + layout + ":shaped", directory);
        Stream<Path> walk = Files.walk(directory)) {
      for (Path file : walk.filter(Files::isRegularFile).toList()) {
        files.put(directory.relativize(file).toString(), Files.readString(file));
      }
    }
    return files;
  }

  private void assertShows(ObjectNode descriptor, String... names) throws Exception {
    image.tag(descriptor, "shaped");
    Map<String, String> expected = new TreeMap<>();
    for (String name : names) {
      expected.put(name, name);
    }
    assertThat(shown()).isEqualTo(expected);
  }

  @Test
  void dockerSchema2_inAManifestList() throws Exception {
    List<ShapedImage.Layer> layers =
        List.of(
            image.gzip(ShapedImage.DOCKER_GZIP, tar -> tar.file("a")),
            image.gzip(ShapedImage.DOCKER_FOREIGN, tar -> tar.file("b")));
    ObjectNode manifest =
        image.manifest(ShapedImage.DOCKER_MANIFEST, ShapedImage.DOCKER_CONFIG, layers);
    assertShows(
        image.index(ShapedImage.DOCKER_LIST, on(manifest("arm"), "arm64"), on(manifest, "amd64")),
        "a",
        "b");
  }

  private ObjectNode manifest(String file) throws IOException {
    return manifest(layer(file));
  }

  @Test
  void nestedIndexes_ofWhichOneHasThePlatform() throws Exception {
    ObjectNode inner = image.index(ShapedImage.OCI_INDEX, on(manifest("a"), "amd64"));
    ObjectNode other = image.index(ShapedImage.OCI_INDEX, on(manifest("b"), "arm64"));
    assertShows(image.index(ShapedImage.OCI_INDEX, other, inner), "a");
  }

  @Test
  void sameLayerTwice_andEmptyOnesBetween() throws Exception {
    ShapedImage.Layer twice = layer("a");
    ShapedImage.Layer empty = image.gzip(ShapedImage.OCI_GZIP, tar -> {});
    ShapedImage.Layer gone = image.gzip(ShapedImage.OCI_GZIP, tar -> tar.whiteout("", "a"));
    assertShows(manifest(twice, empty, gone, empty, twice), "a");
    assertShows(manifest(twice, empty, twice, gone));
  }

  @Test
  void onlyEmptyLayers() throws Exception {
    assertShows(manifest(image.gzip(ShapedImage.OCI_GZIP, tar -> {})));
  }

  @Test
  void contentEmbeddedInTheManifest() throws Exception {
    assertShows(
        image.manifest(ShapedImage.OCI_MANIFEST, ShapedImage.OCI_CONFIG, List.of(layer("a")), true),
        "a");
  }

  @Test
  void zstdWithSkippableFrames() throws Exception {
    ShapedImage.Layer layer =
        image.zstdWithSkippableFrames(tar -> tar.file("a").directory("d", 0755).file("d/b"));
    assertShows(manifest(layer), "a", "d/b");
  }

  @Test
  void foreignLayer_thatTheRegistryLacks_isNamedWithItsUrls() throws Exception {
    ShapedImage.Layer foreign = image.gzip(ShapedImage.DOCKER_FOREIGN, tar -> tar.file("a"));
    foreign.descriptor().putArray("urls").add("https://layers.example/a");
    image.tag(manifest(foreign), "shaped");
    image.deleteBlob(foreign);
    assertThatThrownBy(this::shown)
        .isInstanceOf(IOException.class)
        .hasMessageContaining(foreign.descriptor().get("digest").asText())
        .hasMessageContaining("https://layers.example/a");
  }

  @Test
  void fiveHundredLayers_mountAndRunThroughContainerd() throws Exception {
    List<ShapedImage.Layer> layers = new ArrayList<>();
    List<String> names = new ArrayList<>();
    for (int i = 0; i < MANY; i++) {
      String name = "d%d/f%03d".formatted(i % 7, i);
      layers.add(layer(name));
      names.add(name);
    }
    ObjectNode manifest = image.manifest(ShapedImage.OCI_MANIFEST, ShapedImage.OCI_CONFIG, layers);
    assertShows(manifest, names.toArray(String[]::new));

    try (DockerRegistry registry = DockerRegistry.open();
        ContainerdNode node = ContainerdNode.of(Node.start())) {
      LayoutPush.push(layout, registry.host(), "many");
      assertThat(node.states(registry.host() + "/many:shaped")).hasSize(MANY).containsOnly("lazy");
    }
  }
}

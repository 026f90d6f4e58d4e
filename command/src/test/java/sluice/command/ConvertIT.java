package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static sluice.testing.ListingAssert.assertThatTree;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import sluice.core.Bytes;
import sluice.core.Descriptor;
import sluice.core.ImageReference;
import sluice.core.Platform;
import sluice.registry.FetchListener;
import sluice.registry.RegistryClient;
import sluice.registry.RegistryConfig;
import sluice.snapshotter.image.ImageManifest;
import sluice.snapshotter.image.ImageResolver;
import sluice.snapshotter.image.LocalContent;
import sluice.testing.DockerRegistry;
import sluice.testing.Fixtures;
import sluice.testing.LayoutPush;
import sluice.testing.ListingAssert.Loss;
import sluice.testing.Tree;
import sluice.testing.TreeEntry;
import sluice.testing.TreeListing;

/** {@code sluice convert}, its results read by our own reader over FUSE and by nydus-image. */
class ConvertIT {

  private static final Platform PLATFORM = new Platform("linux", "amd64");
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final int POLL_MILLIS = 20;

  private static Optional<DockerRegistry> registry = Optional.empty();

  @TempDir private Path directory;

  @BeforeAll
  static void startRegistry() throws IOException, InterruptedException {
    registry = Optional.of(DockerRegistry.open());
  }

  @AfterAll
  static void stopRegistry() throws IOException {
    registry.orElseThrow().close();
  }

  @BeforeEach
  void makeWorkDirectory() throws IOException {
    Files.createDirectory(work());
  }

  static List<String> images() {
    return Fixtures.IMAGES;
  }

  @ParameterizedTest
  @MethodSource("images")
  void convert_keepsTheTreeAndGivesTheSameDigestTwice(String image) throws Exception {
    String layout = "oci:" + directory.resolve("result") + ":lazy";
    String pushed = registry.orElseThrow().host() + "/converted/" + image + ":lazy";
    JsonNode first = convert(source(image), layout);
    JsonNode second = convert(source(image), pushed);
    assertThat(second.required("digest")).isEqualTo(first.required("digest"));
    assertThat(work()).isEmptyDirectory();
    for (String result : List.of(layout, pushed)) {
      try (RafsMount mount = RafsMount.of(ImageReference.parse(result), PLATFORM, directory)) {
        assertThatTree(TreeListing.of(mount.target()))
            .losing(Loss.TIMES_BEFORE_1970, Loss.LINK_COUNTS)
            .isTree(Fixtures.of(image).expected());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"--digester=blake3", "--chunk-size=4096", "--chunk-size=16777216"})
  void convert_keepsTheTreeWithOption(String option) throws Exception {
    String layout = "oci:" + directory.resolve("result") + ":lazy";
    convert(source("small"), layout, option);
    try (RafsMount mount = RafsMount.of(ImageReference.parse(layout), PLATFORM, directory)) {
      assertThatTree(TreeListing.of(mount.target()))
          .losing(Loss.TIMES_BEFORE_1970, Loss.LINK_COUNTS)
          .isTree(Fixtures.of("small").expected());
    }
  }

  @Test
  void convert_ofWhatWasConvertedAlready_isRefused() throws Exception {
    String name = registry.orElseThrow().host() + "/again/reader";
    convert(source("reader"), name + ":lazy");
    assertThat(run("convert", name + ":lazy", name + ":twice").error())
        .contains("a tar is expected", "converted already?");
  }

  /** The source anybody may read; the target asks who writes. */
  @Test
  void convert_fromOneRegistryTagToAnother_asksEachAsItWants() throws Exception {
    LayoutPush.push(
        Fixtures.of("reader").directory(), registry.orElseThrow().host(), "plain/reader");
    String from = registry.orElseThrow().host() + "/plain/reader:" + Fixtures.SOURCE;
    try (DockerRegistry guarded = DockerRegistry.withBasicAuth("ada", "enchantress")) {
      String to = guarded.host() + "/lazy/reader:v1";
      assertThat(convertAs("", from, to)).isEqualTo(1);
      assertThat(Files.readString(log()))
          .startsWith("sluice: ")
          .contains(guarded.host(), "lazy/reader", "401");

      assertThat(convertAs(credentials(guarded, "ada:enchantress"), from, to)).isZero();
      String mirrored = registry.orElseThrow().host() + "/mirrored/reader:v1";
      // And from the one that asks: what is there is RAFS now, which the source says.
      assertThat(convertAs(credentials(guarded, "ada:enchantress"), to, mirrored)).isEqualTo(1);
      assertThat(Files.readString(log())).contains("converted already?");

      Path target = Files.createDirectory(directory.resolve("mnt"));
      try (SluiceProcess sluice =
          SluiceProcess.start(
                  directory.resolve("mount.log"),
                  Map.of("DOCKER_CONFIG", directory.resolve("docker").toString()),
                  "mount",
                  "--root",
                  directory.resolve("root").toString(),
                  to,
                  target.toString())
              .await(" is mounted at ")) {
        assertThatTree(TreeListing.of(target)).isTree(Fixtures.of("reader").expected());
        assertThat(sluice.stop()).isZero();
      } finally {
        Shell.unmountBelow(directory);
      }
    }
  }

  /** Converts in a process that finds these credentials and no others; its exit status. */
  private int convertAs(String dockerConfig, String from, String to)
      throws IOException, InterruptedException {
    Path docker = Files.createDirectories(directory.resolve("docker"));
    Files.writeString(docker.resolve("config.json"), dockerConfig.isEmpty() ? "{}" : dockerConfig);
    Files.deleteIfExists(log());
    try (SluiceProcess sluice =
        SluiceProcess.start(
            log(),
            Map.of("DOCKER_CONFIG", docker.toString()),
            "convert",
            "--platform=linux/amd64",
            "--work=" + work(),
            from,
            to)) {
      return sluice.end(LIMIT);
    }
  }

  private static String credentials(DockerRegistry at, String userAndPassword) {
    String encoded =
        Base64.getEncoder().encodeToString(userAndPassword.getBytes(StandardCharsets.UTF_8));
    return "{\"auths\":{\"%s\":{\"auth\":\"%s\"}}}".formatted(at.host(), encoded);
  }

  @Test
  void convert_writesManifestAndConfigurationAsNydusDoes() throws Exception {
    Path layout = directory.resolve("result");
    convert(source("small"), "oci:" + layout + ":lazy");
    ImageManifest image = resolve("oci:" + layout + ":lazy");
    List<Descriptor> layers = image.manifest().layers();
    assertThat(layers).hasSize(2);
    assertThat(layers.getFirst().mediaType())
        .isEqualTo("application/vnd.oci.image.layer.nydus.blob.v1");
    assertThat(layers.getFirst().annotations())
        .containsEntry("containerd.io/snapshot/nydus-blob", "true");
    assertThat(layers.getLast().mediaType())
        .isEqualTo("application/vnd.oci.image.layer.v1.tar+gzip");
    assertThat(layers.getLast().annotations())
        .containsEntry("containerd.io/snapshot/nydus-bootstrap", "true")
        .containsEntry("containerd.io/snapshot/nydus-fs-version", "6");
    assertThat(image.config().diffIds().getFirst()).isEqualTo(layers.getFirst().digest());
    JsonNode config = new JsonMapper().readTree(image.configContent().bytes().toArray());
    JsonNode before =
        new JsonMapper().readTree(resolve(source("small")).configContent().bytes().toArray());
    assertThat(config.required("config")).isEqualTo(before.required("config"));
    long notEmpty =
        Stream.of(config.required("history"))
            .flatMap(JsonNode::valueStream)
            .filter(entry -> !entry.path("empty_layer").asBoolean())
            .count();
    assertThat(notEmpty).isEqualTo(layers.size());
  }

  @Test
  void convert_ofAnEmptyImagePushesNoBlob() throws Exception {
    Path layout = directory.resolve("result");
    JsonNode result = convert(source("empty"), "oci:" + layout + ":lazy");
    assertThat(resolve("oci:" + layout + ":lazy").manifest().layers()).hasSize(1);
    assertThat(result.required("chunks").asLong()).isZero();
  }

  @Test
  void convert_countsEqualChunks() throws Exception {
    JsonNode result = convert(source("small"), "oci:" + directory.resolve("result"));
    assertThat(result.required("equalChunks").asLong())
        .isPositive()
        .isLessThan(result.required("chunks").asLong());
  }

  /** nydus-image unpacks no image with a block device or a fifo, as small has them: it panics. */
  @ParameterizedTest
  @MethodSource("images")
  void convert_isAcceptedAndUnpackedByNydusImage(String image) throws Exception {
    assumeThat(nydusImage()).as("nydus-image is not on the PATH").isPresent();
    String nydusImage = nydusImage().orElseThrow().toString();
    Path layout = directory.resolve("result");
    convert(source(image), "oci:" + layout + ":lazy");
    List<Descriptor> layers = resolve("oci:" + layout + ":lazy").manifest().layers();
    Path blobs = layout.resolve("blobs/sha256");
    call(
        "tar",
        "-xzf",
        blobs.resolve(layers.getLast().digest().hex()).toString(),
        "-C",
        directory.toString());
    String bootstrap = directory.resolve("image/image.boot").toString();
    call(nydusImage, "check", "--bootstrap", bootstrap, "--blob-dir", blobs.toString());
    if (image.equals("small") || layers.size() == 1) {
      return;
    }
    Path tar = directory.resolve("unpacked.tar");
    String blob = blobs.resolve(layers.getFirst().digest().hex()).toString();
    call(
        nydusImage, "unpack", "--bootstrap", bootstrap, "--blob", blob, "--output", tar.toString());
    Path unpacked = Files.createDirectory(directory.resolve("unpacked"));
    // 2: a time before 1970 is 2^64 seconds in nydus-image's tar, and GNU tar reports that.
    assertThat(
            status(
                "tar",
                "--xattrs",
                "--xattrs-include=*",
                "--numeric-owner",
                "-xpf",
                tar.toString(),
                "-C",
                unpacked.toString()))
        .isIn(0, 2);
    assertThatTree(withoutRoot(TreeListing.of(unpacked)))
        .losing(Loss.NANOSECONDS, Loss.TIMES_BEFORE_1970, Loss.LINK_COUNTS)
        .ignoringTimesOf("gnu/old")
        .isTree(withoutRoot(Fixtures.of(image).expected()));
  }

  @Test
  void convert_ofAMissingSource_saysWhichAndExitsWith1() {
    Run run = run("convert", "oci:" + directory.resolve("none") + ":src", "oci:" + directory);
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.error()).startsWith("sluice: ").contains(directory.resolve("none").toString());
  }

  @Test
  void convert_withoutItsWorkDirectory_saysSo() {
    Path none = directory.resolve("none");
    Run run =
        run("convert", "--platform=linux/amd64", "--work=" + none, source("one"), "oci:" + none);
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.error()).isEqualTo("sluice: " + none + ": no such file or directory\n");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "oci:a:b",
        "oci:a:b oci:a:b",
        "oci:a:b UPPER/case",
        "oci:a:b oci:c --chunk-size 5000",
        "oci:a:b oci:c --digester md5",
        "oci:a:b oci:c --platform linux",
        "oci:a:b localhost/c@sha256:"
            + "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
      })
  void convert_usedWrongly_exitsWith2(String arguments) {
    List<String> all = new ArrayList<>(List.of("convert"));
    all.addAll(List.of(arguments.split(" ", -1)));
    Run run = run(all.toArray(String[]::new));
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.error()).contains("see `sluice convert --help`");
  }

  @Test
  void convert_thatGetsASignal_leavesNothingBehind() throws Exception {
    DockerRegistry hanging = registry.orElseThrow();
    hanging.pause();
    try {
      Process process =
          start(
              "convert",
              "--platform=linux/amd64",
              "--work=" + work(),
              source("small"),
              hanging.host() + "/signal/small:lazy");
      try {
        // The push has begun when the result has been read back.
        await(process, "read-back.erofs");
        process.destroy();
        assertThat(process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
      } finally {
        process.destroyForcibly();
      }
      assertThat(process.exitValue()).isEqualTo(128 + 15);
      assertThat(work()).isEmptyDirectory();
    } finally {
      hanging.resume();
    }
  }

  private void await(Process process, String file) throws IOException, InterruptedException {
    long deadline = System.nanoTime() + LIMIT.toNanos();
    while (System.nanoTime() < deadline && process.isAlive()) {
      try (Stream<Path> files = Files.find(work(), 2, (path, is) -> path.endsWith(file))) {
        if (files.findAny().isPresent()) {
          return;
        }
      }
      Thread.sleep(POLL_MILLIS);
    }
    throw new AssertionError("no " + file + " in " + work() + ": " + Files.readString(log()));
  }

  private Process start(String... arguments) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                "sluice.command.Main"));
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(log().toFile())
        .start();
  }

  private Path work() {
    return directory.resolve("work");
  }

  private static String source(String image) {
    return "oci:" + Fixtures.of(image).directory() + ":" + Fixtures.SOURCE;
  }

  private JsonNode convert(String source, String target, String... options) throws IOException {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    List<String> arguments =
        new ArrayList<>(
            List.of("--json", "--platform", PLATFORM.toString(), "--work", work().toString()));
    arguments.addAll(List.of(options));
    arguments.addAll(List.of(source, target));
    int status =
        new CommandLine(new ConvertCommand())
            .setCaseInsensitiveEnumValuesAllowed(true)
            .setOut(new PrintWriter(out))
            .setErr(new PrintWriter(err))
            .execute(arguments.toArray(String[]::new));
    assertThat(status).as(err.toString()).isZero();
    return new JsonMapper().readTree(out.toString());
  }

  private record Run(int status, String error) {}

  /** Runs the whole command, which prints its errors to {@link System#err}. */
  private static Run run(String... arguments) {
    PrintStream before = System.err;
    ByteArrayOutputStream error = new ByteArrayOutputStream();
    System.setErr(new PrintStream(error, true, StandardCharsets.UTF_8));
    try {
      int status = SluiceCommand.run(arguments);
      return new Run(status, error.toString(StandardCharsets.UTF_8));
    } finally {
      System.setErr(before);
    }
  }

  private static ImageManifest resolve(String reference) throws IOException, InterruptedException {
    try (RegistryClient client =
        RegistryClient.open(RegistryConfig.ofProcess(), FetchListener.NONE)) {
      return new ImageResolver(client, LocalContent.NONE, new Formats(client, client)::isVariant)
          .resolve(ImageReference.parse(reference), PLATFORM)
          .image();
    }
  }

  /** nydus-image writes no entry for the root. */
  private static Tree withoutRoot(Tree tree) {
    SortedMap<Bytes, TreeEntry> entries = new TreeMap<>(tree.entries());
    entries.remove(Bytes.EMPTY);
    return () -> entries;
  }

  private static Optional<Path> nydusImage() {
    for (String each : System.getenv().getOrDefault("PATH", "").split(":", -1)) {
      Path file = Path.of(each, "nydus-image");
      if (Files.isExecutable(file)) {
        return Optional.of(file);
      }
    }
    return Optional.empty();
  }

  private void call(String... command) throws IOException, InterruptedException {
    int status = status(command);
    assertThat(status).as("%s: %s", List.of(command), Files.readString(log())).isZero();
  }

  private int status(String... command) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(log().toFile())
            .start();
    try {
      assertThat(process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
    } finally {
      process.destroyForcibly();
    }
    return process.exitValue();
  }

  private Path log() {
    return directory.resolve("log");
  }
}

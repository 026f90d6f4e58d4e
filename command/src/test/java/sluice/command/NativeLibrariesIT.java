package sluice.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import sluice.testing.Fixtures;
import sluice.testing.TreeListing;

/** The build unpacks native libraries; a process that runs puts none into its temporary files. */
@Timeout(180)
final class NativeLibrariesIT {

  private static final Path UNPACKED =
      Path.of(System.getProperty("sluice.project"), "command", "target", "lib", "native");

  private static final String ARCHITECTURE =
      System.getProperty("os.arch").equals("amd64") ? "x86_64" : System.getProperty("os.arch");

  /** Where there is nothing, so that each library must help itself. */
  private static final String NOT_UNPACKED =
      " -Djava.library.path=/nowhere -Dorg.sqlite.lib.path=/nowhere";

  @TempDir private Path temporary = Path.of("");
  private Path files = Path.of("");
  private Path log = Path.of("");

  @BeforeEach
  void prepare() throws IOException {
    files = Files.createDirectory(temporary.resolve("files"));
    log = Files.createFile(temporary.resolve("log"));
  }

  @AfterEach
  void unmount() throws Exception {
    Shell.unmountBelow(temporary);
  }

  @Test
  void build_hasTheLibrariesOfBothArchitectures() throws IOException {
    for (String architecture : List.of("x86_64", "aarch64")) {
      try (Stream<Path> unpacked = Files.list(UNPACKED.resolve(architecture))) {
        assertThat(unpacked.map(file -> file.getFileName().toString()))
            .as(architecture)
            .anyMatch(name -> name.startsWith("libzstd-jni-"))
            .contains("liblz4-java.so", "libsqlitejdbc.so", "libjffi-1.2.so");
      }
    }
  }

  @Test
  void serve_putsNothingIntoTemporaryFiles() throws Exception {
    try (SluiceProcess daemon = serve("")) {
      assertThat(loaded(daemon)).anyMatch(ours("libsqlitejdbc.so"));
      assertThat(files).isEmptyDirectory();
      daemon.kill();
      assertThat(files).isEmptyDirectory();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "nydus-zstd, raw, libzstd-jni-",
    "nydus-lz4, raw, liblz4-java.so",
    "nydus-zstd, jnr, libjffi-1.2.so"
  })
  void mount_putsNothingIntoTemporaryFiles(String tag, String transport, String library)
      throws Exception {
    try (SluiceProcess mount = mount(tag, transport, "")) {
      assertThat(TreeListing.of(temporary.resolve("mnt"))).isNotNull();
      assertThat(loaded(mount)).anyMatch(ours(library));
      assertThat(files).isEmptyDirectory();
      assertThat(mount.stop()).isZero();
    }
  }

  @Test
  void librariesThatTheBuildHasNot_unpackThemselves() throws Exception {
    try (SluiceProcess daemon = serve(NOT_UNPACKED)) {
      assertThat(loaded(daemon)).anyMatch(line -> line.contains(files + "/sqlite-"));
    }
    try (SluiceProcess mount = mount("nydus-zstd", "raw", NOT_UNPACKED)) {
      assertThat(TreeListing.of(temporary.resolve("mnt"))).isNotNull();
      assertThat(loaded(mount)).anyMatch(line -> line.contains(files + "/libzstd-jni-"));
      assertThat(mount.stop()).isZero();
    }
  }

  private SluiceProcess serve(String options) throws IOException, InterruptedException {
    Path config =
        Files.writeString(temporary.resolve("config.toml"), "[metrics]\naddress = \"\"\n");
    return start(
            options,
            "serve",
            "--config",
            config.toString(),
            "--root",
            temporary.resolve("root").toString(),
            "--address",
            temporary.resolve("s.sock").toString())
        .await(" serves ");
  }

  private SluiceProcess mount(String tag, String transport, String options)
      throws IOException, InterruptedException {
    return start(
            options,
            "mount",
            "--root",
            temporary.resolve("mount-root").toString(),
            "--platform",
            "linux/amd64",
            "--transport",
            transport,
            "oci:" + Fixtures.of("reader").directory() + ":" + tag,
            Files.createDirectories(temporary.resolve("mnt")).toString())
        .await(" is mounted at ");
  }

  private SluiceProcess start(String options, String... arguments) throws IOException {
    String ours = "-Djava.io.tmpdir=" + files + options;
    return SluiceProcess.start(log, Map.of("SLUICE_JAVA_OPTS", ours), arguments);
  }

  /** What is mapped into the process, a line each. */
  private static List<String> loaded(SluiceProcess process) throws IOException {
    return Files.readAllLines(Path.of("/proc", Long.toString(process.pid()), "maps"));
  }

  private static Predicate<String> ours(String library) {
    return line -> line.contains(UNPACKED.resolve(ARCHITECTURE) + "/" + library);
  }
}

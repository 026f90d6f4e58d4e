package sluice.command.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ConfigFileTest {

  @TempDir private Path directory = Path.of("");

  private Config read(String text) throws IOException {
    return ConfigFile.read(Files.writeString(directory.resolve("config.toml"), text));
  }

  @Test
  void read_empty_givesDefaults() throws IOException {
    assertThat(read(""))
        .usingRecursiveComparison()
        .ignoringFields("file")
        .isEqualTo(Config.DEFAULTS);
  }

  @Test
  void read_everyKey_isTaken() throws IOException {
    Config config =
        read(
            """
            root = "/srv/sluice"
            address = "/run/s.sock"
            [log]
            level = "debug"
            [mount]
            driver = "fuse"
            [fuse]
            transport = "jnr"
            [pull]
            index_deadline_seconds = 3
            parallel_streams = 2
            [trust]
            unverified_diff_ids = ["registry.example:5000"]
            referrers = "allow"
            unpinned_indexes = ["oci:/layout", "key:/etc/sluice/index.pub"]
            check_layers = "always"
            [index]
            order = ["soci", "estargz"]
            record = false
            publish = "ask-registry"
            [metrics]
            address = ""
            [containerd]
            address = "/run/c.sock"
            """);

    assertThat(config)
        .isEqualTo(
            new Config(
                directory.resolve("config.toml").toString(),
                Path.of("/srv/sluice"),
                Path.of("/run/s.sock"),
                Config.LogLevel.DEBUG,
                new Config.Mount(Config.Driver.FUSE),
                new Config.Fuse(Config.Transport.JNR),
                new Config.Pull(Duration.ofSeconds(3), 2),
                new Config.Trust(
                    new Config.Trusted.From(Set.of("registry.example:5000")),
                    new Config.Trusted.Allow(),
                    new Config.Trusted.From(
                        Set.of("oci:/layout"), List.of(Path.of("/etc/sluice/index.pub"))),
                    Config.CheckLayers.ALWAYS),
                new Config.Index(List.of("soci", "estargz"), false, Config.Publish.ASK_REGISTRY),
                new Config.Metrics(""),
                new Config.Containerd(Path.of("/run/c.sock"))));
  }

  @Test
  void read_unknownKey_namesTheNearest() {
    assertThatThrownBy(() -> read("[pull]\nparalel_streams = 2"))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("unknown key pull.paralel_streams")
        .hasMessageEndingWith("did you mean pull.parallel_streams?");
  }

  @Test
  void read_unknownTable_isRefused() {
    assertThatThrownBy(() -> read("[metric]\naddress = \"\""))
        .hasMessageContaining("unknown key metric; did you mean metrics?");
  }

  @Test
  void read_wrongType_saysWhatIsTaken() {
    assertThatThrownBy(() -> read("[pull]\nparallel_streams = \"two\""))
        .hasMessageContaining("pull.parallel_streams must be a number from 1 to 64, found \"two\"");
    assertThatThrownBy(() -> read("[index]\nrecord = 1"))
        .hasMessageContaining("index.record must be true or false, found 1");
    assertThatThrownBy(() -> read("pull = 1")).hasMessageContaining("must be a table [pull]");
    assertThatThrownBy(() -> read("root = \"relative\"")).hasMessageContaining("absolute path");
  }

  @Test
  void read_wrongChoice_listsTheChoices() {
    assertThatThrownBy(() -> read("[fuse]\ntransport = \"carrier pigeon\""))
        .hasMessageContaining("fuse.transport must be \"raw\" or \"jnr\"");
    assertThatThrownBy(() -> read("[trust]\nunverified_diff_ids = \"perhaps\""))
        .hasMessageContaining("\"allow\", \"deny\", or a list of registries");
    assertThatThrownBy(() -> read("[trust]\nunverified_diff_ids = [\"key:/etc/k.pub\"]"))
        .hasMessageContaining("trust.unverified_diff_ids must be \"allow\", \"deny\"")
        .hasMessageEndingWith("found \"key:/etc/k.pub\"");
    assertThatThrownBy(() -> read("[trust]\nreferrers = [\"key:k.pub\"]"))
        .hasMessageContaining("trust.referrers must be")
        .hasMessageContaining("\"key:/absolute/path\"");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "https://registry.example",
        "registry.example/team/app",
        "registry.example/",
        "registry.example:port",
        "registry example",
        "*.registry.example",
        "team",
        "docker",
        "oci:relative",
        "oci:",
        "oci:/nul\\u0000",
        "key:relative.pub",
        "key:",
        "/etc/sluice/index.pub"
      })
  void read_listedThatNeverMatches_isRefused(String entry) {
    for (String key : List.of("unverified_diff_ids", "referrers", "unpinned_indexes")) {
      assertThatThrownBy(
              () -> read("[trust]\n%s = [\"registry.example\", \"%s\"]".formatted(key, entry)))
          .isInstanceOf(ConfigException.class)
          .hasMessageContaining("config.toml: trust." + key + " must be ")
          .hasMessageContaining("\"HOST:PORT\"")
          .hasMessageEndingWith("found \"" + entry + '"');
    }
  }

  @Test
  void read_listedThatMatches_isTakenAsImagesNameIt() throws IOException {
    assertThat(
            read("""
            [trust]
            referrers = ["docker.io", "localhost", "host:5000", "[::1]:5000", "oci:/a//b/../c/"]
            """)
                .trust()
                .referrers())
        .isEqualTo(
            new Config.Trusted.From(
                Set.of("docker.io", "localhost", "host:5000", "[::1]:5000", "oci:/a/c")));
  }

  @Test
  void read_brokenToml_namesTheLine() {
    assertThatThrownBy(() -> read("[pull]\nparallel_streams = = 2"))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("config.toml, line 2:");
  }

  @Test
  void read_missingFile_saysSo() {
    assertThatThrownBy(() -> ConfigFile.read(directory.resolve("none.toml")))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("no such file");
  }
}

package sluice.command.config;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import com.fasterxml.jackson.dataformat.toml.TomlMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;

/** Reads the configuration file. */
public final class ConfigFile {

  /** Where the file is unless somebody says otherwise. */
  public static final Path DEFAULT = Path.of("/etc/sluice/config.toml");

  /** A configuration is a page of text. */
  private static final long MAX_BYTES = 1 << 20;

  private static final int MAX_DEADLINE_SECONDS = 600;
  private static final int MAX_STREAMS = 64;

  private ConfigFile() {}

  /** Reads {@link #DEFAULT}, or takes the defaults if it is not there. */
  public static Config readDefault() throws IOException {
    return Files.exists(DEFAULT) ? read(DEFAULT) : Config.DEFAULTS;
  }

  /**
   * Reads a file.
   *
   * @throws ConfigException if it is not there, is no TOML, or holds what Sluice does not know
   */
  public static Config read(Path file) throws IOException {
    JsonNode tree;
    try {
      if (Files.size(file) > MAX_BYTES) {
        throw new ConfigException("%s: larger than %d bytes".formatted(file, MAX_BYTES));
      }
      tree = new TomlMapper().readTree(file.toFile());
    } catch (NoSuchFileException e) {
      throw new ConfigException(file + ": no such file");
    } catch (JacksonException e) {
      throw new ConfigException(
          "%s, line %d: %s".formatted(file, e.getLocation().getLineNr(), e.getOriginalMessage()));
    }
    Section root = Section.root(file, tree);
    Config config = config(file, root);
    root.finish();
    return config;
  }

  private static Config config(Path file, Section root) throws ConfigException {
    Config otherwise = Config.DEFAULTS;
    Section pull = root.section("pull");
    return new Config(
        file.toString(),
        root.path("root", otherwise.root()),
        root.path("address", otherwise.address()),
        root.section("log").choice("level", Config.LogLevel.class, otherwise.logLevel()),
        new Config.Mount(
            root.section("mount")
                .choice("driver", Config.Driver.class, otherwise.mount().driver())),
        new Config.Fuse(
            root.section("fuse")
                .choice("transport", Config.Transport.class, otherwise.fuse().transport())),
        new Config.Pull(
            Duration.ofSeconds(
                pull.number(
                    "index_deadline_seconds",
                    Math.toIntExact(otherwise.pull().indexDeadline().toSeconds()),
                    1,
                    MAX_DEADLINE_SECONDS)),
            pull.number("parallel_streams", otherwise.pull().parallelStreams(), 1, MAX_STREAMS)),
        TrustSection.read(root.section("trust")),
        index(root.section("index")),
        metrics(root.section("metrics")),
        new Config.Containerd(
            root.section("containerd").path("address", otherwise.containerd().address())));
  }

  private static Config.Metrics metrics(Section metrics) throws ConfigException {
    String key = "address";
    String address = metrics.text(key, Config.DEFAULTS.metrics().address());
    try {
      return new Config.Metrics(address);
    } catch (IllegalArgumentException e) {
      throw metrics.wrong(key, "host:port, or \"\" for none", TextNode.valueOf(address));
    }
  }

  private static Config.Index index(Section index) throws ConfigException {
    Config.Index otherwise = Config.DEFAULTS.index();
    return new Config.Index(
        index.texts("order", "a list of formats", otherwise.order()),
        index.flag("record", otherwise.record()),
        index.choice("publish", Config.Publish.class, otherwise.publish()));
  }
}

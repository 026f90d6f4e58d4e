package sluice.command;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import sluice.command.config.Config;
import sluice.command.config.ConfigFile;

/** Options of commands that speak with the daemon, or of it. */
final class DaemonOptions {

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "The daemon's configuration. Default: /etc/sluice/config.toml, if it is there.")
  private @Nullable Path file;

  @Option(
      names = "--address",
      paramLabel = "SOCKET",
      description =
          "The daemon's socket. Default: what the configuration says, or /run/sluice/sluice.sock.")
  private @Nullable Path address;

  /** What is configured, with the address that was given. */
  Config config() throws IOException {
    Config config = file == null ? ConfigFile.readDefault() : ConfigFile.read(file);
    return address == null ? config : config.withAddress(address.toAbsolutePath());
  }

  /** Whether the address was given on the command line. */
  boolean hasAddress() {
    return address != null;
  }
}

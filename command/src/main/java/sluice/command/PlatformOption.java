package sluice.command;

import picocli.CommandLine.Option;
import sluice.core.Platform;

/** Which image of an index is meant. */
final class PlatformOption {

  @Option(
      names = "--platform",
      paramLabel = "P",
      converter = PlatformConverter.class,
      description = "os/architecture[/variant]. Default: this host's.")
  private Platform platform = Platform.host();

  Platform platform() {
    return platform;
  }
}

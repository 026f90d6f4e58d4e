package sluice.command;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import sluice.command.config.Config;
import sluice.command.config.ConfigFile;

/** {@code sluice serve}: the daemon, in the foreground. */
@Command(
    name = "serve",
    mixinStandardHelpOptions = true,
    description = "Serves containerd as a snapshotter, until SIGINT or SIGTERM.")
final class ServeCommand implements Callable<Integer> {

  private static final Logger LOG = LoggerFactory.getLogger(ServeCommand.class);
  private static final Duration LONG = Duration.ofDays(1);

  @ParentCommand private SluiceCommand sluice = new SluiceCommand();

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "Default: /etc/sluice/config.toml, if it is there.")
  private @Nullable Path file;

  @Option(
      names = "--root",
      paramLabel = "DIR",
      description = "Overrides root; default: /var/lib/sluice.")
  private @Nullable Path root;

  @Option(
      names = "--address",
      paramLabel = "SOCKET",
      description = "Overrides address; default: /run/sluice/sluice.sock.")
  private @Nullable Path address;

  @Override
  public Integer call() throws IOException, InterruptedException {
    Config config = file == null ? ConfigFile.readDefault() : ConfigFile.read(file);
    if (root != null) {
      config = config.withRoot(root.toAbsolutePath());
    }
    if (address != null) {
      config = config.withAddress(address.toAbsolutePath());
    }
    Logging.configure(sluice.debug() ? Config.LogLevel.DEBUG : config.logLevel());
    new StartChecks(new Host(Path.of("/"))).require(config);
    StopSignal stop = sluice.stop();
    stop.listen();
    Daemon daemon = Daemon.start(config);
    try (daemon) {
      while (!stop.await(LONG)) {
        LOG.debug("a day has passed");
      }
      LOG.info("stopping: images are unmounted, containers on them get errors until restarted");
    }
    return 0;
  }
}

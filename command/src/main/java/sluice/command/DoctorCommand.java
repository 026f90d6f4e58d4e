package sluice.command;

import java.io.IOException;
import java.io.PrintWriter;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import sluice.command.config.Config;
import sluice.command.config.ConfigFile;
import sluice.core.ImageReference;
import sluice.registry.FetchListener;
import sluice.registry.OciLayout;
import sluice.registry.RegistryClient;
import sluice.registry.RegistryConfig;
import sluice.snapshotter.service.SocketServer;

/** {@code sluice doctor}: what this host supports, and what is missing. */
@Command(
    name = "doctor",
    mixinStandardHelpOptions = true,
    description = {
      "Says what this host supports, what is missing, and what to do about it.",
      "Exit code 0 if images can be mounted lazily here, 1 if not."
    })
final class DoctorCommand implements Callable<Integer> {

  private static final Path CONTAINERD_CONFIG = Path.of("/etc/containerd/config.toml");

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "Default: /etc/sluice/config.toml, if it is there.")
  private @Nullable Path file;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Parameters(
      arity = "0..1",
      paramLabel = "IMAGE",
      converter = ReferenceConverter.class,
      description = "Also ask this image's registry.")
  private @Nullable ImageReference image;

  @Override
  public Integer call() throws IOException, InterruptedException {
    List<HostCheck> checks = new ArrayList<>();
    Config config = config(checks);
    checks.addAll(new Host(Path.of("/")).checks(config));
    checks.add(containerd(config.containerd().address()));
    checks.add(plugin(CONTAINERD_CONFIG));
    checks.add(daemon(config.address()));
    if (image != null) {
      checks.add(registry(image));
    }
    boolean works = Host.works(checks);
    print(checks, works);
    return works ? 0 : 1;
  }

  private void print(List<HostCheck> checks, boolean works) throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(
          new Json()
              .with("works", works)
              .with("checks", checks.stream().map(check -> check.json().members()).toList())
              .text());
    } else {
      checks.forEach(out::println);
    }
    out.flush();
  }

  private Config config(List<HostCheck> checks) {
    Path path = file == null ? ConfigFile.DEFAULT : file;
    Config config = Config.DEFAULTS;
    try {
      config = file == null ? ConfigFile.readDefault() : ConfigFile.read(file);
      requireUsable(config);
      checks.add(HostCheck.ok("configuration", Files.exists(path) ? path.toString() : "defaults"));
    } catch (IOException e) {
      checks.add(HostCheck.missing("configuration", Failure.sentence(e), "mend the file"));
    }
    return config;
  }

  /** What else a daemon asks of its configuration before it starts. */
  private static void requireUsable(Config config) throws IOException {
    OciLayout nothing = new OciLayout();
    new Formats(nothing, nothing).inOrder(config.index().order(), config.file());
    Trust.of(config);
    SocketServer.checkAddress(config.address());
    StartChecks.requireDirectory(config.root());
  }

  static HostCheck containerd(Path socket) {
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
      return HostCheck.ok("containerd", channel.getRemoteAddress() + " answers");
    } catch (IOException e) {
      return HostCheck.note(
          "containerd",
          socket + ": nobody answers",
          "start containerd, or set containerd.address; `sluice mount` works without");
    }
  }

  static HostCheck plugin(Path config) {
    try {
      return Files.readString(config).contains("[proxy_plugins.sluice]")
          ? HostCheck.ok("proxy plugin", "sluice is in " + config)
          : HostCheck.note(
              "proxy plugin",
              "sluice is not in " + config,
              "add [proxy_plugins.sluice] with type = \"snapshot\" and the daemon's address");
    } catch (IOException e) {
      return HostCheck.note(
          "proxy plugin", config + " can't be read", "write one with [proxy_plugins.sluice]");
    }
  }

  static HostCheck daemon(Path socket) {
    try {
      return HostCheck.ok(
          "daemon", "sluice %s at %s".formatted(ControlClient.status(socket).getVersion(), socket));
    } catch (NoSuchFileException e) {
      return HostCheck.note("daemon", socket + ": no daemon listens there", "start `sluice serve`");
    } catch (AccessDeniedException e) {
      return HostCheck.note("daemon", socket + ": permission denied", "be root");
    } catch (IOException e) {
      return HostCheck.note(
          "daemon",
          Failure.sentence(e),
          "its log says what it does; start `sluice serve` if none runs");
    }
  }

  private static HostCheck registry(ImageReference image) throws InterruptedException {
    try (RegistryClient registries =
        RegistryClient.open(RegistryConfig.ofProcess(), FetchListener.NONE)) {
      ImagePlaces places =
          new ImagePlaces(ImagePlaces.Place.of(new OciLayout()), ImagePlaces.Place.of(registries));
      return HostCheck.ok("registry", image + " is " + places.resolve(image).descriptor().digest());
    } catch (IOException e) {
      return HostCheck.missing(
          "registry", Failure.sentence(e), "check the name, the network and the credentials");
    }
  }
}

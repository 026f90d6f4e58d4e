package sluice.command;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;
import sluice.command.config.Config;
import sluice.core.ImageReference;
import sluice.registry.FetchListener;
import sluice.registry.RegistryClient;
import sluice.registry.RegistryConfig;
import sluice.snapshotter.containerd.Containerd;
import sluice.snapshotter.image.ImageResolver;
import sluice.snapshotter.image.LocalContent;
import sluice.snapshotter.pull.ImagePull;
import sluice.snapshotter.pull.NotUnpackedException;
import sluice.snapshotter.pull.PulledImage;

/** {@code sluice pull}: makes an image known to containerd, with its layers left where they are. */
@Command(
    name = "pull",
    mixinStandardHelpOptions = true,
    description = {
      "Makes an image known to containerd, so that it can be run at once.",
      "",
      "Its layers are not unpacked: Sluice serves them, and fetches what is read. A layer without an"
          + " index that may be used is streamed: fetched whole, but not unpacked. One that Sluice"
          + " can't serve is fetched and unpacked the ordinary way. The output says which and why, if"
          + " the daemon answers at its socket."
    })
final class PullCommand implements Callable<Integer> {

  @Spec private CommandSpec spec = CommandSpec.create();
  @ParentCommand private SluiceCommand sluice = new SluiceCommand();

  @Option(
      names = "--containerd",
      paramLabel = "SOCKET",
      defaultValue = "${env:CONTAINERD_ADDRESS}",
      description =
          "Socket of containerd. Default: $CONTAINERD_ADDRESS, or containerd.address of the"
              + " configuration, or /run/containerd/containerd.sock.")
  private @Nullable Path containerd;

  @Option(
      names = "--namespace",
      paramLabel = "NS",
      defaultValue = "${env:CONTAINERD_NAMESPACE:-default}",
      description =
          "containerd's namespace; that of Kubernetes is k8s.io. Default: $CONTAINERD_NAMESPACE, or"
              + " ${DEFAULT-VALUE}.")
  private String namespace = "";

  @Option(
      names = "--snapshotter",
      paramLabel = "NAME",
      defaultValue = "sluice",
      description = "The name by which containerd knows Sluice. Default: ${DEFAULT-VALUE}.")
  private String snapshotter = "";

  @Mixin private PlatformOption platform = new PlatformOption();

  @Mixin private DaemonOptions daemon = new DaemonOptions();

  @Option(names = "--json", description = "Say what came of it as JSON.")
  private boolean json;

  @Parameters(
      paramLabel = "IMAGE",
      converter = ReferenceConverter.class,
      description = "Name of the image: debian, ghcr.io/a/b:1.2, …")
  private @Nullable ImageReference image;

  @Override
  public Integer call() throws IOException, InterruptedException {
    ImageReference reference = image;
    if (reference == null) {
      throw new IllegalArgumentException("picocli checks that it is given");
    }
    Config config = daemon.config();
    long begin = System.nanoTime();
    // So that on Ctrl-C the lease is given back, and what was done is collected soon.
    PulledImage pulled = sluice.stop().during(() -> pull(reference, config));
    Duration took = Duration.ofNanos(System.nanoTime() - begin);
    PulledView view = new PulledView(pulled, DaemonLayers.ask(config.address()), took);
    PrintWriter out = spec.commandLine().getOut();
    out.println(json ? view.json().text() : view.text());
    out.flush();
    return 0;
  }

  private PulledImage pull(ImageReference reference, Config config)
      throws IOException, InterruptedException {
    Path socket = containerd == null ? config.containerd().address() : containerd;
    try (Containerd client = Containerd.connect(socket, namespace);
        RegistryClient registry =
            RegistryClient.open(RegistryConfig.ofProcess(), FetchListener.NONE);
        PullProgress progress = new PullProgress()) {
      return new ImagePull(
              client,
              snapshotter,
              registry,
              new ImageResolver(
                  registry, LocalContent.NONE, new Formats(registry, registry)::isVariant),
              registry,
              progress)
          .pull(reference, platform.platform());
    } catch (NotUnpackedException e) {
      String reason = DaemonLayers.ask(config.address()).unpacked().get(e.chainId());
      throw reason == null
          ? e
          : new IOException(e.getMessage() + "; it is not lazy because of this: " + reason, e);
    }
  }
}

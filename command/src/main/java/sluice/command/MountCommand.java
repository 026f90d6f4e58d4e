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
import sluice.command.config.ConfigFile;
import sluice.core.ImageReference;
import sluice.fuse.FuseOptions;
import sluice.fuse.Transport;

/** {@code sluice mount}: an image on a directory, in the foreground. */
@Command(
    name = "mount",
    mixinStandardHelpOptions = true,
    description = {
      "Mounts an image on a directory, without containerd, until SIGINT or SIGTERM.",
      "What is read is fetched then, verified, and kept in the cache."
    })
final class MountCommand implements Callable<Integer> {

  private static final Duration LOOK_AGAIN = Duration.ofSeconds(1);

  @Spec private CommandSpec spec = CommandSpec.create();
  @ParentCommand private SluiceCommand sluice = new SluiceCommand();

  @Option(
      names = "--root",
      paramLabel = "DIR",
      description = "The cache; one process at a time. Default: ${DEFAULT-VALUE}.")
  private Path root = Defaults.mountRoot();

  @Option(
      names = "--driver",
      paramLabel = "D",
      description = "${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
  private Config.Driver driver = Config.Driver.AUTO;

  @Option(
      names = "--transport",
      paramLabel = "T",
      description = "How FUSE is spoken: ${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
  private Transport transport = Transport.RAW;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = {
        "Says which indexes are trusted and preferred. Default: /etc/sluice/config.toml, if it is",
        "there."
      })
  private @Nullable Path file;

  @Mixin private PlatformOption platform = new PlatformOption();

  @Option(names = "--suid", description = "Let set-id programs of the image work.")
  private boolean setId;

  @Option(names = "--dev", description = "Let device nodes of the image work.")
  private boolean deviceNodes;

  @Parameters(
      index = "0",
      paramLabel = "IMAGE",
      converter = ReferenceConverter.class,
      description = "A registry reference, or oci:LAYOUT_DIR[:TAG].")
  private @Nullable ImageReference image;

  @Parameters(index = "1", paramLabel = "DIR", description = "An existing directory.")
  private @Nullable Path directory;

  @Override
  public Integer call() throws IOException, InterruptedException {
    ImageReference reference = given(image);
    Path target = given(directory).toAbsolutePath();
    ImageMount.How how =
        new ImageMount.How(
            platform.platform(),
            transport,
            FuseOptions.forUsers().withSetId(setId).withDeviceNodes(deviceNodes));
    Config config = file == null ? ConfigFile.readDefault() : ConfigFile.read(file);
    StopSignal stop = sluice.stop();
    PrintWriter out = spec.commandLine().getOut();
    Progress progress = Progress.on("fetching");
    try (Engine engine = Engine.open(root, Engine.Indexes.of(config), progress.listeners());
        ImageMount mount = stop.during(() -> mount(engine, reference, target, how, progress))) {
      out.printf(
          "%s is mounted at %s by %s: %d layers, %s%n",
          reference,
          target,
          driverName(),
          mount.image().manifest().layerCount(),
          Sizes.text(mount.image().manifest().sizeBytes()));
      out.flush();
      while (!stop.await(LOOK_AGAIN)) {
        if (mount.ended()) {
          throw new IOException(target + ": somebody else unmounted it");
        }
      }
    }
    return 0;
  }

  private static ImageMount mount(
      Engine engine, ImageReference reference, Path target, ImageMount.How how, Progress progress)
      throws IOException, InterruptedException {
    try (progress) {
      return ImageMount.open(engine, reference, target, how);
    }
  }

  private String driverName() {
    return switch (driver) {
      case AUTO, FUSE -> "fuse";
    };
  }

  private static <T> T given(@Nullable T parameter) {
    if (parameter == null) {
      throw new IllegalArgumentException("picocli checks that it is given");
    }
    return parameter;
  }
}

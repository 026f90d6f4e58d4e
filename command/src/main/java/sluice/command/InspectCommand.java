package sluice.command;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import sluice.command.config.Config;
import sluice.command.config.ConfigFile;
import sluice.core.Digest;
import sluice.core.ImageReference;
import sluice.core.IndexOrigin;
import sluice.formats.record.LayerRecorder;
import sluice.formats.soci.OwnIndexes;
import sluice.registry.FetchListener;
import sluice.registry.OciLayout;
import sluice.registry.RegistryClient;
import sluice.registry.RegistryConfig;
import sluice.snapshotter.image.ImageManifest;
import sluice.snapshotter.image.ImageResolver;
import sluice.snapshotter.image.LayerChoice;
import sluice.snapshotter.image.LocalContent;
import sluice.snapshotter.image.RejectedIndexes;
import sluice.snapshotter.image.ResolvedImage;

/** {@code sluice inspect}: what an image is made of, and how each layer would be served. */
@Command(
    name = "inspect",
    mixinStandardHelpOptions = true,
    description = "Says what an image is made of, and how each of its layers would be served.")
final class InspectCommand implements Callable<Integer> {

  @Spec private CommandSpec spec = CommandSpec.create();

  @Mixin private PlatformOption platform = new PlatformOption();

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "The daemon's configuration. Default: /etc/sluice/config.toml, if it is there.")
  private @Nullable Path file;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Parameters(
      paramLabel = "IMAGE",
      converter = ReferenceConverter.class,
      description = "A registry reference, or oci:LAYOUT_DIR[:TAG].")
  private @Nullable ImageReference image;

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (image == null) {
      throw new ParameterException(spec.commandLine(), "which image?");
    }
    Config config = file == null ? ConfigFile.readDefault() : ConfigFile.read(file);
    try (RegistryClient registries =
        RegistryClient.open(RegistryConfig.ofProcess(), FetchListener.NONE)) {
      ImagePlaces places =
          new ImagePlaces(ImagePlaces.Place.of(new OciLayout()), ImagePlaces.Place.of(registries));
      Formats formats = new Formats(places, places, made(config.root()));
      LayerChoice choice =
          new LayerChoice(
              formats.inOrder(config.index().order(), config.file()),
              Trust.of(config).asking(places),
              RejectedIndexes.open(config.root().resolve("rejected.json")),
              formats::isVariant);
      ResolvedImage resolved =
          new ImageResolver(places, LocalContent.NONE, choice::isVariant)
              .resolve(image, platform.platform());
      Inspection inspection = Inspection.of(resolved, choice);
      PrintWriter out = spec.commandLine().getOut();
      out.println(json ? json(inspection).text() : InspectTable.text(inspection));
      out.flush();
    }
    return 0;
  }

  /** The indexes that this node has made, if it has a root, and whoever asks may enter it. */
  private Formats.Made made(Path root) {
    if (Files.isDirectory(root) && !Files.isExecutable(root)) {
      PrintWriter err = spec.commandLine().getErr();
      err.printf("sluice: what this node made itself is not shown: %s is closed to you%n", root);
      err.flush();
    }
    Path indexes = root.resolve(Engine.INDEXES);
    return Files.isReadable(indexes)
        ? new Formats.Made(LayerRecorder.NONE, OwnIndexes.reading(indexes))
        : Formats.Made.NONE;
  }

  private static Json json(Inspection inspection) {
    ResolvedImage resolved = inspection.image();
    ImageManifest image = resolved.image();
    ImageManifest variant = resolved.variant();
    return new Json()
        .with("image", resolved.reference().toString())
        .with("manifest", image.digest().toString())
        .with("variant", variant == null ? "" : variant.digest().toString())
        .with("variantProblem", inspection.variantProblem())
        .with("sizeBytes", image.sizeBytes())
        .with("layers", inspection.layers().stream().map(InspectCommand::layer).toList());
  }

  private static Map<String, Object> layer(Inspection.Layer layer) {
    Optional<Inspection.Offer> chosen = layer.chosen();
    return new Json()
        .with("digest", layer.descriptor().digest().toString())
        .with("sizeBytes", layer.descriptor().sizeBytes())
        .with("mediaType", layer.descriptor().mediaType())
        .with("chainId", layer.chainId().toString())
        .with("format", chosen.map(Inspection.Offer::format).orElse("none"))
        .with("served", chosen.map(Inspection.Offer::served).orElse("refused"))
        .with("offers", layer.offers().stream().map(InspectCommand::offer).toList())
        .members();
  }

  private static Map<String, Object> offer(Inspection.Offer offer) {
    Json json =
        new Json()
            .with("format", offer.format())
            .with("served", offer.served())
            .with("chosen", offer.chosen())
            .with("reason", offer.reason());
    IndexOrigin origin = offer.origin();
    if (origin != null) {
      Digest index = origin.index();
      json.with("from", origin.place())
          .with("indexBytes", origin.sizeBytes())
          .with("index", index == null ? "" : index.toString())
          .with("vouchedForBy", InspectTable.voucher(origin));
    }
    return json.members();
  }
}

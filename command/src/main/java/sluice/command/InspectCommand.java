package sluice.command;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
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
import sluice.snapshotter.image.StreamedLayers;

/** {@code sluice inspect}: what an image is made of, and how each layer would be served here. */
@Command(
    name = "inspect",
    mixinStandardHelpOptions = true,
    description = {
      "Says what an image is made of, and how each of its layers would be served on this node.",
      "",
      "What the node has is looked for below its root, which is root's: a layer that it streamed"
          + " before and keeps, indexes that it made, and those that are known to lie."
    },
    exitCodeListHeading = "%nIt ends with:%n",
    exitCodeList = {
      "0:The image was found, whatever would serve it.",
      "1:It was not, or the configuration is wrong.",
      "2:The command line is wrong."
    })
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
    warnIfClosed(config.root());
    try (RegistryClient registries =
        RegistryClient.open(RegistryConfig.ofProcess(), FetchListener.NONE)) {
      ImagePlaces places =
          new ImagePlaces(ImagePlaces.Place.of(new OciLayout()), ImagePlaces.Place.of(registries));
      Formats formats = new Formats(places, places, made(config.root()));
      LayerChoice choice =
          new LayerChoice(
              formats.inOrder(config.index().order(), config.file()),
              Trust.of(config).asking(places),
              RejectedIndexes.open(config.root().resolve(Engine.REJECTED)),
              formats::isVariant);
      ResolvedImage resolved =
          new ImageResolver(places, LocalContent.NONE, choice::isVariant)
              .resolve(image, platform.platform());
      StreamedLayers streamed =
          new StreamedLayers(config.root().resolve(Engine.LAYERS), choice.streaming());
      Inspection inspection = Inspection.of(resolved, choice, streamed);
      PrintWriter out = spec.commandLine().getOut();
      out.println(json ? json(inspection).text() : InspectTable.text(inspection));
      out.flush();
    }
    return 0;
  }

  /** What cannot be looked at is not known to be absent. */
  private void warnIfClosed(Path root) throws IOException {
    try {
      // Unlike the directory's own attributes, these need the right to enter it.
      Files.getLastModifiedTime(root.resolve("."));
    } catch (NoSuchFileException e) {
      // A node without a root has nothing.
    } catch (AccessDeniedException e) {
      PrintWriter err = spec.commandLine().getErr();
      err.printf(
          "sluice: %s is closed to you; not known, and so not shown, are indexes that this node"
              + " made, indexes that are known to lie, and layers that were streamed before%n",
          root);
      err.flush();
    }
  }

  /** The indexes that this node has made, as far as whoever asks may read them. */
  private static Formats.Made made(Path root) {
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
